CREATE TABLE counter (
    correlation_id uuid PRIMARY KEY,
    current_state  text NOT NULL,
    count          int NOT NULL,
    team           text
);

CREATE TABLE note (
    id   uuid PRIMARY KEY,
    text text NOT NULL
);
