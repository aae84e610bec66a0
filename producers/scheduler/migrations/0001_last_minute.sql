-- One row: the latest minute that was said. It only grows.
CREATE TABLE last_minute (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    minute_ms BIGINT NOT NULL
);
