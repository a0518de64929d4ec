-- The delivery attempt that holds the claim: asked again, it gets the same fence.
alter table step add column claim_id uuid;
-- The fences that "lost" counts: an execution that is heard of again has not died, and its count is taken back.
alter table step add column lost_fences bigint[] not null default '{}';
-- Why the step was skipped.
alter table step add column reason text;
-- The logs of all its executions, oldest first: an attempt that failed or waited is read as well.
alter table step add column logs text[] not null default '{}';
update step set logs = array[outcome ->> 'logKey'] where outcome ->> 'logKey' is not null;
