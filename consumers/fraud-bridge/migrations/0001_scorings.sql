CREATE TABLE scorings (
    order_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    line_count BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    traceparent TEXT,
    status TEXT NOT NULL CHECK (status IN ('pending', 'cleared', 'flagged')),
    risk TEXT,
    attempts BIGINT NOT NULL,
    last_error TEXT,
    next_attempt_at_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

CREATE INDEX scorings_due ON scorings (next_attempt_at_ms) WHERE status = 'pending';
