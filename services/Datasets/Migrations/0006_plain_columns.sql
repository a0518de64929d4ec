-- The columns whose values may be seen in a step's items. Any other one is masked, because a rule may have given a sensitive value
-- another name; so are all of a step with sensitive values until its next run says which are plain.
alter table datasets.quarantine_step add column plain text[] not null default '{}';
