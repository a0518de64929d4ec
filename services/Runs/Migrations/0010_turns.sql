-- A run that reads on from what the pipeline remembers has its turn with it until it ends; the next one waits.
alter table run add column holds_state boolean not null default false;
create unique index run_holds_state on run (pipeline_id) where holds_state and finished_at is null;

-- The run whose end a step waits for, to wake it.
alter table step add column waits_for uuid;
create index step_waits_for on step (waits_for) where waits_for is not null;

-- Which state a step was handed: new with every change, the zero id where there is none. Null on the step: it does not read on from it.
alter table state add column version uuid not null default '00000000-0000-0000-0000-000000000000';
alter table step add column memory_version uuid;

-- Of what failed before this was written down only the times are known; the ones that were overtaken are given a version that was never there.
update step
   set memory_version = case when exists (
           select from state
            where state.pipeline_id = run.pipeline_id and state.step_id = coalesce(step.memory_key, step.step_id)
              and state.run_id <> step.run_id and state.updated_at > step.finished_at)
       then 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid else '00000000-0000-0000-0000-000000000000'::uuid end
  from run
 where run.id = step.run_id and run.state in ('Failed', 'Cancelled') and step.state = 'Completed' and jsonb_typeof(step.outcome -> 'state') <> 'null';
