-- One row: the minute that was heard last, and when by our own clock. Deadlines are watched only as long as minutes come.
CREATE TABLE last_minute (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    minute_ms BIGINT NOT NULL,
    heard_at_ms BIGINT NOT NULL
);
