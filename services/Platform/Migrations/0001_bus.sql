-- The platform's tables: messages that wait to be sent, messages that were handled, timers. Shared by all services of the
-- database; a service may add its own messages and nothing else (Data/BusSchema.cs has the grants).

CREATE TABLE outbox (
    -- The order within a service. Ids commit out of order, so nothing may be read by "id > last" across transactions.
    id          bigint GENERATED ALWAYS AS IDENTITY,
    service     text NOT NULL,
    message_id  uuid NOT NULL PRIMARY KEY,
    type        text NOT NULL,
    -- Null: published to whoever subscribes.
    queue       text,
    body        json NOT NULL,
    traceparent text,
    -- In-process bus: the queues that must have handled the message before it is done. Null with a broker.
    endpoints   text[],
    -- Not now(): a long transaction would look like a message that was left behind.
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at     timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);

-- The sweeper: what is left unsent, oldest first.
CREATE INDEX outbox_unsent ON outbox (service, id) WHERE sent_at IS NULL;
-- The janitor: what is old.
CREATE INDEX outbox_created_at ON outbox USING brin (created_at) WITH (pages_per_range = 16);

CREATE TABLE inbox (
    message_id  uuid NOT NULL,
    endpoint    text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (message_id, endpoint)
);

CREATE INDEX inbox_received_at ON inbox USING brin (received_at) WITH (pages_per_range = 16);

CREATE TABLE timer (
    -- Becomes the id of the message.
    id          uuid NOT NULL PRIMARY KEY,
    service     text NOT NULL,
    due_at      timestamptz NOT NULL,
    queue       text NOT NULL,
    type        text NOT NULL,
    body        json NOT NULL,
    traceparent text
) WITH (autovacuum_vacuum_scale_factor = 0.02);

-- The poller: what is due, and when the next one is.
CREATE INDEX timer_due_at ON timer (due_at);
