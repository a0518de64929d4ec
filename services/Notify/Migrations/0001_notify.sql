-- Messages that were sent, or whose sending has begun: a step that is done again must not send twice.
create table notify.sent (
    -- The message's idempotency key; it travels with the message.
    key       uuid primary key,
    project   text not null,
    channel   text not null,
    -- sending: it may have gone out, or not.
    state     text not null check (state in ('sending', 'sent')),
    attempts  integer not null,
    at        timestamptz not null
);
