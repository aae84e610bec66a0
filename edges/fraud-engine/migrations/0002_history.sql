ALTER TABLE metrics ADD COLUMN address_hash TEXT;
ALTER TABLE metrics ADD COLUMN outcome_of TEXT;
CREATE UNIQUE INDEX metrics_of_outcome ON metrics (outcome_of, transaction_type) WHERE outcome_of IS NOT NULL;
CREATE INDEX metrics_of_address ON metrics (address_hash, at_ms) WHERE address_hash IS NOT NULL;
CREATE INDEX metrics_by_age ON metrics (at_ms);

ALTER TABLE summary ADD COLUMN amounts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE summary ADD COLUMN ln_sum BIGINT NOT NULL DEFAULT 0;
ALTER TABLE summary ADD COLUMN ln_squares BIGINT NOT NULL DEFAULT 0;

CREATE TABLE customers (
    customer_id TEXT PRIMARY KEY,
    amounts BIGINT NOT NULL,
    ln_sum BIGINT NOT NULL,
    ln_squares BIGINT NOT NULL,
    hours TEXT NOT NULL,
    completed BIGINT NOT NULL,
    frauds BIGINT NOT NULL,
    seen_at_ms BIGINT NOT NULL
);
CREATE INDEX customers_by_age ON customers (seen_at_ms);

CREATE TABLE devices (
    device_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    seen_at_ms BIGINT NOT NULL,
    PRIMARY KEY (device_id, customer_id)
);
CREATE INDEX devices_of_customer ON devices (customer_id);
CREATE INDEX devices_by_age ON devices (seen_at_ms);
