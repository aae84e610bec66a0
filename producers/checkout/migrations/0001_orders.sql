-- What clients were told, one row an answer. An answer and its idempotency key are one row, so that they cannot part.
CREATE TABLE orders (
    seq {row_key},
    order_id TEXT NOT NULL UNIQUE,
    customer_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('confirmed', 'rejected')),
    status_code BIGINT NOT NULL,
    total_minor BIGINT NOT NULL CHECK (total_minor >= 0),
    response TEXT NOT NULL,
    idempotency_key TEXT,
    fingerprint TEXT,
    placed_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX orders_idempotency_key ON orders (idempotency_key) WHERE idempotency_key IS NOT NULL;
