-- A run that has its pipeline for itself: no other one of it is active meanwhile.
alter table runs.run add column alone boolean not null default false;
create index run_alone on runs.run (pipeline_id) where alone;

-- What a run that re-injects rejected rows is about, and how it goes about it.
alter table runs.run add column reinjection jsonb;
