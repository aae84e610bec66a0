CREATE TABLE metrics (
    seq {row_key},
    transaction_type TEXT NOT NULL,
    duration_us BIGINT NOT NULL CHECK (duration_us >= 0),
    success BIGINT NOT NULL,
    order_id TEXT UNIQUE,
    customer_id TEXT,
    amount_minor BIGINT,
    line_count BIGINT,
    at_ms BIGINT NOT NULL,
    risk TEXT NOT NULL CHECK (risk IN ('LOW', 'MEDIUM', 'HIGH')),
    points BIGINT NOT NULL,
    reasons TEXT NOT NULL
);

CREATE INDEX metrics_of_customer ON metrics (customer_id, at_ms) WHERE order_id IS NOT NULL AND customer_id IS NOT NULL;

CREATE TABLE summary (
    slot BIGINT PRIMARY KEY,
    total BIGINT NOT NULL,
    successes BIGINT NOT NULL,
    duration_us BIGINT NOT NULL
);
