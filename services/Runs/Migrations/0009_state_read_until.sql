-- Up to which logical time the run was that left this: a run about an earlier time (a backfill, an old day done again) leaves it alone.
alter table state add column read_until timestamptz;
update state set read_until = least(run.interval_end, state.updated_at) from run where run.id = state.run_id;
