-- Freight goes one product at a time, and a delivery that fails is tried once more. The rows move to a wider table: `part` is the
-- freight's product, empty for what goes together.
CREATE TABLE shipments_2 (
    shipment_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    ledger TEXT NOT NULL CHECK (ledger IN ('inventory', 'furniture')),
    part TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('created', 'dispatched', 'retrying', 'delivered', 'failed', 'cancelled')),
    attempt BIGINT NOT NULL CHECK (attempt IN (1, 2)),
    lines TEXT NOT NULL,
    location TEXT NOT NULL,
    due_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    dispatched_at_ms BIGINT,
    delivered_at_ms BIGINT,
    failed_at_ms BIGINT,
    cause_id TEXT,
    correlation_id TEXT,
    traceparent TEXT,
    UNIQUE (order_id, ledger, part)
);
INSERT INTO shipments_2 (shipment_id, order_id, ledger, part, status, attempt, lines, location, due_at_ms, created_at_ms,
        dispatched_at_ms, delivered_at_ms, cause_id, correlation_id, traceparent)
    SELECT shipment_id, order_id, ledger, '', status, 1, lines, location, due_at_ms, created_at_ms,
        dispatched_at_ms, delivered_at_ms, cause_id, correlation_id, traceparent FROM shipments;
DROP TABLE shipments;
ALTER TABLE shipments_2 RENAME TO shipments;
CREATE INDEX shipments_due ON shipments (due_at_ms) WHERE due_at_ms IS NOT NULL;

-- What the carrier reported, each report once.
CREATE TABLE tracking (
    shipment_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'failed', 'returned_to_sender')),
    at_ms BIGINT NOT NULL,
    place TEXT,
    heard_at_ms BIGINT NOT NULL,
    PRIMARY KEY (shipment_id, reference)
);
