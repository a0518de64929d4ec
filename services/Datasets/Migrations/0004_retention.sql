-- Removed: its files are gone, its description stays, and no new run reads it. Pinned: it is kept however many follow it.
alter table datasets.version add column removed_at timestamptz, add column pinned_at timestamptz, add column pinned_by text;

-- What the last look at a project's files found, by pipeline and step.
create table datasets.storage_usage (
    project      text not null,
    kind         text not null,
    pipeline     text not null,
    step         text not null,
    files        bigint not null,
    bytes        bigint not null,
    measured_at  timestamptz not null,
    primary key (project, kind, pipeline, step)
);

-- The collector: items that are done, oldest first.
create index quarantine_item_done on datasets.quarantine_item (at) where state in ('reinjected', 'settled', 'dismissed', 'superseded');
