-- One credit note per refund, numbered in the order they were issued. Rows are added and read, never changed.
CREATE TABLE credit_notes (
    number {serial_key},
    refund_id TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    issued_at_ms BIGINT NOT NULL
);
CREATE INDEX credit_notes_by_order ON credit_notes (order_id, number);
-- Those issued before they had numbers: a refund's transaction is named `refund-` and its id.
INSERT INTO credit_notes (refund_id, order_id, amount_minor, issued_at_ms)
    SELECT substr(t.transaction_id, 8), t.order_id,
        COALESCE((SELECT SUM(e.amount_minor) FROM ledger_entries e
            WHERE e.transaction_id = t.transaction_id AND e.side = 'credit'), 0), t.at_ms
    FROM ledger_transactions t WHERE t.kind = 'refund' AND t.order_id IS NOT NULL ORDER BY t.at_ms, t.transaction_id;
