-- A project; its slug is its name in addresses and is never given to another one, not even after it is closed.
create table pipelines.project (
    id           uuid primary key,
    slug         text not null,
    name         text not null,
    description  text,
    time_zone    text not null,
    created_at   timestamptz not null,
    created_by   text not null,
    constraint project_slug unique (slug)
);

-- The place in the order of a project's events. The row is locked until the event commits: no number is lost or doubled.
create table pipelines.event_counter (
    project_id  uuid primary key,
    last        bigint not null
);

-- Its row is locked while a version is added, which makes the numbers gapless.
create table pipelines.pipeline (
    id           uuid primary key,
    project_id   uuid not null references pipelines.project (id),
    name         text not null,
    owner        text,
    description  text,
    latest       integer not null,
    created_at   timestamptz not null,
    updated_at   timestamptz not null,
    constraint pipeline_name unique (project_id, name)
);

-- Immutable. json and not jsonb: jsonb forgets the order of properties, which people have written for a reason.
create table pipelines.version (
    id           uuid primary key,
    pipeline_id  uuid not null references pipelines.pipeline (id),
    number       integer not null,
    file_name    text not null,
    text         text not null,
    plan         json not null,
    -- [{connection, step}]: what a step of this version may ask for.
    connections  jsonb not null,
    created_at   timestamptz not null,
    created_by   text not null,
    constraint version_number unique (pipeline_id, number)
);

-- The newest announcement of each operator. Silent for 90 s means that nobody does its steps now.
create table pipelines.operator (
    kind       text not null,
    major      integer not null,
    minor      integer not null,
    manifest   json not null,
    instance   text not null,
    last_seen  timestamptz not null,
    primary key (kind, major)
);

create table pipelines.connection (
    id           uuid primary key,
    project_id   uuid not null references pipelines.project (id),
    name         text not null,
    type         text not null,
    -- Without secrets.
    settings     jsonb not null,
    -- A JSON object of the secret settings, sealed for this connection's id.
    secrets      text,
    revision     integer not null,
    created_at   timestamptz not null,
    updated_at   timestamptz not null,
    updated_by   text not null,
    constraint connection_name unique (project_id, name)
);
