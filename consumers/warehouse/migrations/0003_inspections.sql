-- A return ends inspected or lapsed, and what became of its goods is kept.
CREATE TABLE returns_2 (
    return_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('expected', 'received', 'lapsed')),
    lines TEXT NOT NULL,
    inspection TEXT,
    requested_at_ms BIGINT NOT NULL,
    closed_at_ms BIGINT,
    cause_id TEXT,
    correlation_id TEXT,
    traceparent TEXT
);
INSERT INTO returns_2 (return_id, order_id, status, lines, requested_at_ms, closed_at_ms, cause_id, correlation_id, traceparent)
    SELECT return_id, order_id, status, lines, requested_at_ms, received_at_ms, cause_id, correlation_id, traceparent FROM returns;
DROP TABLE returns;
ALTER TABLE returns_2 RENAME TO returns;
CREATE INDEX returns_by_order ON returns (order_id, return_id);
CREATE INDEX returns_expected ON returns (requested_at_ms) WHERE status = 'expected';
