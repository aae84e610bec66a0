CREATE TABLE customers (
    customer_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    surname TEXT NOT NULL,
    country TEXT,
    granted_tier TEXT NOT NULL CHECK (granted_tier IN ('standard', 'silver', 'gold')),
    standing TEXT NOT NULL CHECK (standing IN ('good', 'suspended')),
    billing_account TEXT NOT NULL CHECK (billing_account IN ('active', 'closed', 'none')),
    placed_orders BIGINT NOT NULL DEFAULT 0,
    completed_orders BIGINT NOT NULL DEFAULT 0,
    spent_minor BIGINT NOT NULL DEFAULT 0 CHECK (spent_minor >= 0)
);

CREATE TABLE counted_orders (
    order_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    completed_minor BIGINT,
    refunded_minor BIGINT NOT NULL
);

INSERT INTO customers (customer_id, name, surname, granted_tier, standing, billing_account) VALUES
    ('john-doe', 'John', 'Doe', 'standard', 'good', 'active'),
    ('jane-smith', 'Jane', 'Smith', 'standard', 'good', 'active');
