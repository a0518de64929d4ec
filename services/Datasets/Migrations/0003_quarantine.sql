-- A step of a pipeline that rejects rows. Its row is locked while rows of a run go into the quarantine.
create table datasets.quarantine_step (
    id               bigint generated always as identity primary key,
    project_id       uuid not null,
    project          text not null,
    pipeline_id      uuid not null,
    pipeline         text not null,
    step             text not null,
    operator         text,
    -- True once the step has asked for repairs: it applies them.
    applies_patches  boolean not null default false,
    -- The sensitive columns; null: not known while values may be sensitive, so all are masked.
    sensitive        text[] default '{}',
    constraint quarantine_step_name unique (pipeline_id, step)
);

create index quarantine_step_project on datasets.quarantine_step (project, pipeline, step);

-- What a run rejected in a step: one per run, of its last attempt.
create table datasets.quarantine_batch (
    id         bigint generated always as identity primary key,
    step_id    bigint not null references datasets.quarantine_step (id) on delete cascade,
    run_id     uuid not null,
    -- Of the files and of how the run ended: the same again is done already.
    stamp      text not null,
    files      text[] not null,
    rejected   bigint not null,
    filled_at  timestamptz not null,
    constraint quarantine_batch_run unique (run_id, step_id)
);

-- A repair: tied to a key and to the values it was made on. It stays active until the source sends something else, so that a
-- source that goes on sending the bad row is repaired each time.
create table datasets.patch (
    id               bigint generated always as identity primary key,
    step_id          bigint not null references datasets.quarantine_step (id) on delete cascade,
    key              text not null,
    hash             text not null,
    -- JSON object of column and new value. text: jsonb does not take every character.
    changes          text not null,
    -- active, lapsed, undone
    state            text not null,
    actor            text not null,
    created_at       timestamptz not null,
    applied_at       timestamptz,
    applied_run      uuid
);

create unique index patch_active on datasets.patch (step_id, key, hash) where state = 'active';

create sequence datasets.quarantine_item_id;

-- A rejected row, across runs.
create table datasets.quarantine_item (
    id            bigint primary key default nextval('datasets.quarantine_item_id'),
    step_id       bigint not null references datasets.quarantine_step (id) on delete cascade,
    key           text not null,
    -- Of the values as ingested, and its place among rows with the same key and the same values.
    hash          text not null,
    ordinal       integer not null,
    source        text not null,
    row           bigint not null,
    ingested      text not null,
    rejected      text not null,
    reasons       text not null,
    rules         text[] not null,
    columns       text[] not null,
    first_run     uuid not null,
    last_run      uuid not null,
    times         integer not null,
    -- open, repaired, reinjected, settled, dismissed, superseded
    state         text not null,
    assignee      text,
    note          text,
    patch_id      bigint references datasets.patch (id),
    -- The run in which the repaired row went through.
    repaired_run  uuid,
    actor         text not null,
    at            timestamptz not null,
    created_at    timestamptz not null,
    revision      integer not null default 1
);

-- Rejected again is the same item.
create unique index quarantine_item_identity on datasets.quarantine_item (step_id, key, hash, ordinal) where state <> 'superseded';
-- The queue, oldest first; and what retention removes.
create index quarantine_item_state on datasets.quarantine_item (step_id, state, id);
create index quarantine_item_patch on datasets.quarantine_item (patch_id) where patch_id is not null;

-- Which items a run rejected: the account of a run over its rows' later fates.
create table datasets.quarantine_occurrence (
    batch_id  bigint not null references datasets.quarantine_batch (id) on delete cascade,
    item_id   bigint not null references datasets.quarantine_item (id) on delete cascade,
    primary key (batch_id, item_id)
);

create index quarantine_occurrence_item on datasets.quarantine_occurrence (item_id);
