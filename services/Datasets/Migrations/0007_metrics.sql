-- When a version's figures were taken; null: not yet. Versions that are there already stay without.
alter table datasets.version add column measured_at timestamptz;
update datasets.version set measured_at = created_at;
create index version_unmeasured on datasets.version (created_at) where measured_at is null and removed_at is null;

-- A figure of a version: of all of it ('' for the column) or of a column. Figures outlive the rows they were taken of.
create table datasets.metric (
    dataset_id   uuid not null references datasets.dataset (id) on delete cascade,
    number       integer not null,
    column_name  text not null,
    metric       text not null,
    at           timestamptz not null,
    value        double precision not null,
    primary key (dataset_id, column_name, metric, number)
);

-- What was not as it used to be when a version was measured: a figure, or a column. Says which, never a value.
create table datasets.finding (
    dataset_id   uuid not null references datasets.dataset (id) on delete cascade,
    number       integer not null,
    kind         text not null,
    column_name  text not null,
    metric       text not null,
    at           timestamptz not null,
    expected     double precision,
    score        double precision,
    detail       text,
    primary key (dataset_id, number, kind, column_name, metric)
);
