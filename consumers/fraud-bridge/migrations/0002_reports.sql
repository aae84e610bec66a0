ALTER TABLE scorings ADD COLUMN shipping_country TEXT;
ALTER TABLE scorings ADD COLUMN billing_country TEXT;
CREATE INDEX scorings_waiting ON scorings (created_at_ms) WHERE status = 'pending';
CREATE INDEX scorings_by_status ON scorings (status, order_id);
CREATE INDEX scorings_settled ON scorings (created_at_ms) WHERE status <> 'pending';

CREATE TABLE reports (
    order_id TEXT NOT NULL,
    transaction_type TEXT NOT NULL,
    duration_ms BIGINT NOT NULL,
    success BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (order_id, transaction_type)
);
CREATE INDEX reports_due ON reports (next_attempt_at_ms);
