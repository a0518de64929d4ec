-- The steps of a run without their elements: what an event and the run page read, however many elements there are.
create index step_of_run on step (run_id) where parent is null;
