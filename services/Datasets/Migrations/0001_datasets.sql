-- A named dataset: what outlives a run. Its row is locked while a version is added, which makes the numbers gapless.
create table datasets.dataset (
    id           uuid primary key,
    project_id   uuid not null,
    project      text not null,
    name         text not null,
    owner        text,
    description  text,
    -- The number of the newest version, 0 before the first.
    latest       integer not null default 0,
    created_at   timestamptz not null,
    constraint dataset_name unique (project, name)
);

create table datasets.version (
    dataset_id  uuid not null references datasets.dataset (id) on delete cascade,
    number      integer not null,
    -- Where it came from: a step of a run, or an upload.
    run_id      uuid,
    step_id     text,
    upload_id   uuid,
    content     jsonb not null,
    rows        bigint not null,
    bytes       bigint not null,
    quality     double precision,
    actor       text not null,
    created_at  timestamptz not null,
    primary key (dataset_id, number)
);

-- A run's completion that arrives twice publishes once.
create unique index version_run on datasets.version (dataset_id, run_id, step_id) where run_id is not null;
-- dataset:name@2026-11-20
create index version_created on datasets.version (dataset_id, created_at);

-- What a reference meant to a run when it was first asked: a retried step reads the same.
create table datasets.read_pin (
    run_id      uuid not null,
    reference   text not null,
    dataset_id  uuid not null,
    number      integer not null,
    pinned_at   timestamptz not null,
    primary key (run_id, reference),
    foreign key (dataset_id, number) references datasets.version (dataset_id, number)
);

-- Which runs hold a version (retention asks before it removes one).
create index read_pin_version on datasets.read_pin (dataset_id, number);

create table datasets.upload (
    id          uuid primary key,
    project     text not null,
    name        text not null,
    key         text not null,
    bytes       bigint not null,
    sha256      text not null,
    actor       text not null,
    created_at  timestamptz not null
);

-- The list of a project's uploads, newest first (ids are version 7: they grow with time).
create index upload_project on datasets.upload (project, id desc);

-- The sequence of the events this service publishes, per project.
create table datasets.event_counter (
    project_id  uuid primary key,
    last        bigint not null
);
