-- How each pipeline stood after its last run: one message per cause, not per retry.
create table notify.pipeline (
    pipeline_id  uuid primary key,
    project      text not null,
    pipeline     text not null,
    state        text not null check (state in ('good', 'failed')),
    cause        text,
    at           timestamptz not null
);

-- What is to be told to whom; written with the change, sent afterwards.
create table notify.notice (
    id          uuid primary key,
    project     text not null,
    pipeline    text not null,
    version_id  uuid not null,
    run_id      uuid not null,
    target      text not null,
    kind        text not null,
    subject     text not null,
    body        text not null,
    digest      boolean not null,
    due_at      timestamptz not null,
    state       text not null check (state in ('waiting', 'sent', 'given up')),
    attempts    integer not null,
    error       text,
    created_at  timestamptz not null
);

-- The sender looks for what is due.
create index notice_due on notify.notice (due_at) where state = 'waiting';
