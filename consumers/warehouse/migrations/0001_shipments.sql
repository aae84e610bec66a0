-- An order has at most one shipment per ledger, whoever asks and however often.
CREATE TABLE shipments (
    shipment_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    ledger TEXT NOT NULL CHECK (ledger IN ('inventory', 'furniture')),
    status TEXT NOT NULL CHECK (status IN ('created', 'dispatched', 'delivered', 'cancelled')),
    lines TEXT NOT NULL,
    location TEXT NOT NULL,
    due_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    dispatched_at_ms BIGINT,
    delivered_at_ms BIGINT,
    cause_id TEXT,
    correlation_id TEXT,
    traceparent TEXT,
    UNIQUE (order_id, ledger)
);
CREATE INDEX shipments_due ON shipments (due_at_ms) WHERE due_at_ms IS NOT NULL;

-- Orders for which nothing is shipped any more. `said` is 1 once `ShipmentFailed` was said, or need not be.
CREATE TABLE stopped_orders (
    order_id TEXT PRIMARY KEY,
    code TEXT NOT NULL CHECK (code IN ('stopped', 'cancelled', 'unknown_location')),
    said BIGINT NOT NULL CHECK (said IN (0, 1)),
    at_ms BIGINT NOT NULL
);

CREATE TABLE returns (
    return_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('expected', 'received')),
    lines TEXT NOT NULL,
    requested_at_ms BIGINT NOT NULL,
    received_at_ms BIGINT,
    cause_id TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    traceparent TEXT
);
