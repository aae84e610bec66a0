CREATE TABLE stock (
    product_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    unit_price_minor BIGINT NOT NULL CHECK (unit_price_minor >= 0),
    location TEXT NOT NULL,
    stock_level BIGINT NOT NULL CHECK (stock_level >= 0),
    reserved BIGINT NOT NULL DEFAULT 0,
    reserved_manually BIGINT NOT NULL DEFAULT 0,
    low_threshold BIGINT NOT NULL DEFAULT 0 CHECK (low_threshold >= 0),
    low_said BIGINT NOT NULL DEFAULT 0 CHECK (low_said IN (0, 1)),
    updated_at_ms BIGINT NOT NULL,
    CHECK (reserved >= 0 AND reserved <= stock_level),
    CHECK (reserved_manually >= 0 AND reserved_manually <= reserved)
);
CREATE TABLE holds (
    reservation_id TEXT PRIMARY KEY,
    order_id TEXT,
    status TEXT NOT NULL CHECK (status IN ('held', 'committed', 'released', 'shipped')),
    expires_at_ms BIGINT NOT NULL,
    shipment_id TEXT,
    lines TEXT NOT NULL
);
CREATE INDEX holds_by_order ON holds (order_id);
CREATE TABLE cancelled_orders (
    order_id TEXT PRIMARY KEY,
    cancelled_at_ms BIGINT NOT NULL
);
CREATE TABLE restocked_returns (
    return_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    received_at_ms BIGINT NOT NULL
);
