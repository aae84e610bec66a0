-- What an order waits for and no deadline has spoken about yet, as a set of bits (src/waits.rs), and since when the longest of it; what makes
-- it stuck, since when. A minute finds the orders that are due by the first index and looks at no others.
ALTER TABLE orders ADD COLUMN waits_for BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN waits_from_ms BIGINT;
ALTER TABLE orders ADD COLUMN stuck_since_ms BIGINT;
-- Every bit: an order from before is looked at once, and its row then says what it waits for.
UPDATE orders SET waits_for = 127, waits_from_ms = updated_at_ms
    WHERE status NOT IN ('completed', 'cancelled', 'rejected');
CREATE INDEX orders_waiting ON orders (waits_for, waits_from_ms) WHERE waits_for > 0;
CREATE INDEX orders_stuck ON orders (order_id) WHERE stuck_since_ms IS NOT NULL;
