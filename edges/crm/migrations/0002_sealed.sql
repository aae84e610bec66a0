-- Customers under their sealed id. What is personal of them is encrypted under a key of their own, which is itself encrypted under the
-- service's; `lookup` finds them by the id they know. Erasing a customer takes key, lookup and contents away; the row stays, so that what is
-- still on its way about them has a place. The service moves the rows of `customers` here when it opens the database.
CREATE TABLE subjects (
    seq {serial_key},
    sealed_id TEXT NOT NULL UNIQUE,
    lookup TEXT UNIQUE,
    wrapped_key TEXT,
    contents TEXT,
    granted_tier TEXT NOT NULL CHECK (granted_tier IN ('standard', 'silver', 'gold')),
    standing TEXT NOT NULL CHECK (standing IN ('good', 'suspended')),
    billing_account TEXT NOT NULL CHECK (billing_account IN ('active', 'closed', 'none')),
    placed_orders BIGINT NOT NULL DEFAULT 0,
    completed_orders BIGINT NOT NULL DEFAULT 0,
    spent_minor BIGINT NOT NULL DEFAULT 0 CHECK (spent_minor >= 0),
    CHECK ((wrapped_key IS NULL) = (contents IS NULL) AND (wrapped_key IS NULL) = (lookup IS NULL))
);

-- Whose order it was is known from `subjects`; the clear id that stood here is not needed.
ALTER TABLE counted_orders DROP COLUMN customer_id;

-- Which master key the keys are wrapped under: a known text, encrypted under it.
CREATE TABLE master_key (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    proof TEXT NOT NULL
);

-- That somebody was erased, when and by whom, and what a look for what is left has found. Nothing personal of the one who was erased.
CREATE TABLE erasures (
    seq {serial_key},
    sealed_id TEXT NOT NULL UNIQUE,
    asked_by TEXT NOT NULL,
    begun_at_ms BIGINT NOT NULL,
    erased_at_ms BIGINT,
    proved_at_ms BIGINT,
    places BIGINT,
    findings BIGINT
);
