-- The place in the order of a project's events, whichever service publishes them. The row is locked from the numbering to
-- the end of the commit that follows it at once: no number is lost or doubled.
CREATE TABLE event_number (
    project_id  uuid NOT NULL PRIMARY KEY,
    last        bigint NOT NULL
);
