-- A run that a step of another run started. The parent's cancel reaches it, and its end lets the parent's step go on.
alter table runs.run
    add column parent_run_id  uuid references runs.run (id) on delete set null,
    add column parent_step_id text,
    add column parent_attempt integer;

-- The children of a run; and a step's attempt has one child, however often it asks.
create unique index run_parent on runs.run (parent_run_id, parent_step_id, parent_attempt) where parent_run_id is not null;
