-- One row per order: where it stands, what was bought (written once), and the set of facts known about it.
CREATE TABLE orders (
    order_id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    customer_id TEXT,
    placed_at_ms BIGINT,
    updated_at_ms BIGINT NOT NULL,
    contents TEXT,
    facts TEXT NOT NULL
);
CREATE INDEX orders_status ON orders (status, order_id);
CREATE INDEX orders_customer ON orders (customer_id, order_id) WHERE customer_id IS NOT NULL;
