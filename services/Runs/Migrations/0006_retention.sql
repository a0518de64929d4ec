-- Why a run that could begin waits, in words for people (no room on the disk).
alter table run add column held text;
-- Since when what its steps wrote may be gone: it is retried no more.
alter table run add column collected_at timestamptz;
alter table run add column pinned_at timestamptz, add column pinned_by text;

-- The history's end: runs that finished long ago.
create index run_finished on run (finished_at) where finished_at is not null;
-- Retention: the newest runs of a pipeline.
create index run_pipeline on run (pipeline_id, id desc);
