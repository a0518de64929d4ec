-- One row per run: the saga's instance. Finished runs stay, so that late events meet them and are ignored.
create table run (
    id                uuid primary key,
    state             text not null,
    project_id        uuid not null,
    project           text not null,
    pipeline_id       uuid not null,
    pipeline          text not null,
    pipeline_version  integer not null,
    version_id        uuid not null,
    params            jsonb not null,
    day               date not null,
    interval_start    timestamptz not null,
    interval_end      timestamptz not null,
    cause             text not null,
    actor             text not null,
    idempotency_key   text,
    request_hash      text,
    concurrency       integer,
    sequence          bigint not null default 0,
    error             jsonb,
    failed_step       text,
    created_at        timestamptz not null,
    admitted_at       timestamptz,
    started_at        timestamptz,
    deadline          timestamptz,
    finished_at       timestamptz
);

-- The same key starts the same run.
create unique index run_idempotency_key on run (project, idempotency_key) where idempotency_key is not null;
-- The list of a project's runs, newest first (ids are version 7: they grow with time).
create index run_project on run (project, id desc);
create index run_project_pipeline on run (project, pipeline, id desc);
-- Admission: the active and waiting runs of a pipeline.
create index run_unfinished on run (pipeline_id, id) where state in ('Queued', 'Running', 'Cancelling');

-- The plan of a pipeline version, stored once.
create table plan (
    version_id  uuid primary key,
    -- json, not jsonb: the order of properties matters (a discriminator comes first).
    body        json not null
);

create table step (
    run_id         uuid not null references run (id) on delete cascade,
    step_id        text not null,
    ordinal        integer not null,
    project        text not null,
    operator       text not null,
    state          text not null,
    attempt        integer not null default 0,
    retries        integer not null default 0,
    dispatch       integer not null default 0,
    fence          bigint not null default 0,
    lost           integer not null default 0,
    resends        integer not null default 0,
    worker         text,
    command_id     uuid,
    lease_until    timestamptz,
    ready_at       timestamptz,
    dispatched_at  timestamptz,
    started_at     timestamptz,
    finished_at    timestamptz,
    due_at         timestamptz,
    progress       jsonb,
    deferral       jsonb,
    outcome        jsonb,
    error          jsonb,
    primary key (run_id, step_id)
);

-- The reconciler: leases that ran out, dispatches that nobody claimed; and the steps a project has in flight.
create index step_running on step (lease_until) where state = 'Running';
create index step_dispatched on step (dispatched_at) where state = 'Dispatched';
create index step_in_flight on step (project) where state in ('Dispatched', 'Running');
create index step_ready on step (project, ready_at) where state = 'Ready';

-- Unique per execution and growing: the newest fence of a step wins.
create sequence fence;

-- The events of a run in their order: live updates and the run's history.
create table event (
    run_id       uuid not null references run (id) on delete cascade,
    sequence     bigint not null,
    type         text not null,
    occurred_at  timestamptz not null,
    body         json not null,
    primary key (run_id, sequence)
);

-- What the last completed run of a pipeline left for a step: cursors, seen files. Written with the run's completion.
create table state (
    pipeline_id  uuid not null,
    step_id      text not null,
    value        jsonb not null,
    run_id       uuid not null,
    updated_at   timestamptz not null,
    primary key (pipeline_id, step_id)
);
