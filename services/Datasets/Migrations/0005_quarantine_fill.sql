-- Hundreds of thousands of rows come in at once, and a check of each one's step, item and batch took longer than the rows themselves.
-- Their only writer holds the step's row and makes the batch and the items in the same transaction; whoever removes items removes
-- their occurrences with them; steps and batches stay.
alter table datasets.quarantine_item drop constraint quarantine_item_step_id_fkey;
alter table datasets.quarantine_occurrence drop constraint quarantine_occurrence_item_id_fkey, drop constraint quarantine_occurrence_batch_id_fkey;

-- Of the values as ingested and as rejected and of the reasons: a row that is rejected again with the same ones does not send them again.
alter table datasets.quarantine_item add column digest text;

-- A row that is rejected again is counted in its place, beside the old one on its page, so that no index changes.
alter table datasets.quarantine_item set (fillfactor = 50);

-- Null: as ingested. No rule has changed most rows before they are rejected.
alter table datasets.quarantine_item alter column rejected drop not null;
