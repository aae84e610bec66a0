CREATE TABLE ledger_transactions (
    transaction_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('invoice', 'revenue', 'refund', 'transaction')),
    order_id TEXT,
    at_ms BIGINT NOT NULL
);

CREATE TABLE ledger_entries (
    transaction_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    account TEXT NOT NULL CHECK (account IN ('accounts_receivable', 'deferred_revenue', 'revenue', 'sales_returns')),
    side TEXT NOT NULL CHECK (side IN ('debit', 'credit')),
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (transaction_id, position)
);

CREATE TABLE invoices (
    order_id TEXT PRIMARY KEY,
    status TEXT NOT NULL CHECK (status IN ('cancelled', 'issued', 'failed', 'reversed')),
    invoice_id TEXT,
    customer_id TEXT,
    code TEXT,
    total_minor BIGINT NOT NULL CHECK (total_minor >= 0),
    deferred_minor BIGINT NOT NULL CHECK (deferred_minor >= 0),
    recognized_minor BIGINT NOT NULL CHECK (recognized_minor >= 0),
    refunded_minor BIGINT NOT NULL CHECK (refunded_minor >= 0 AND refunded_minor <= total_minor),
    lines TEXT NOT NULL,
    requested_at_ms BIGINT NOT NULL,
    CHECK (deferred_minor + recognized_minor <= total_minor)
);

CREATE TABLE returns_received (
    return_id TEXT NOT NULL,
    ledger TEXT NOT NULL,
    order_id TEXT NOT NULL,
    lines TEXT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    PRIMARY KEY (return_id, ledger)
);

CREATE TABLE transactions (
    id {serial_key},
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE transaction_versions (
    id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    item TEXT NOT NULL,
    price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
    made_on TEXT NOT NULL,
    customer TEXT NOT NULL,
    deleted BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (id, version)
);
