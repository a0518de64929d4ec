-- forEach: an element is a row like a step, named <step>.<number>, with its number as ordinal; the step holds the tally of its elements.
alter table step add column parent text;
alter table step add column item jsonb;
alter table step add column memory_key text;
alter table step add column items jsonb;
-- The next elements of a step, by number; the elements of a step, for those who look.
create index step_items on step (run_id, parent, ordinal) where parent is not null;
-- Steps that wait for their run to be resumed, or for their project's turn.
create index step_ready_run on step (run_id) where state = 'Ready';

alter table run add column paused_at timestamptz;
alter table run add column given jsonb;
alter table run add column rerun_of uuid;
alter table run add column reads_like uuid[] not null default '{}';

-- A paused run is active too.
drop index run_unfinished;
create index run_unfinished on run (pipeline_id, id) where state in ('Queued', 'Running', 'Paused', 'Cancelling');
