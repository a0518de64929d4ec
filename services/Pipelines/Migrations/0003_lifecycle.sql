-- Archived: kept as it is, starts no runs, and can be restored. Deleted: gone for people; the row and the versions stay for
-- the runs that follow them, a project's slug is never given again, a pipeline's name is free.
alter table pipelines.project add column archived_at timestamptz, add column deleted_at timestamptz;
alter table pipelines.pipeline add column archived_at timestamptz, add column deleted_at timestamptz;
alter table pipelines.pipeline drop constraint pipeline_name;
create unique index pipeline_name on pipelines.pipeline (project_id, name) where deleted_at is null;
