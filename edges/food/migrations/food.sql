CREATE TABLE food (
    id {serial_key},
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
    available BIGINT NOT NULL CHECK (available IN (0, 1)),
    wanted_stock_level BIGINT CHECK (wanted_stock_level >= 0),
    revision BIGINT NOT NULL DEFAULT 1,
    pending BIGINT NOT NULL CHECK (pending IN (0, 1))
);
CREATE INDEX food_pending ON food (id) WHERE pending = 1;
INSERT INTO food (name, category, price_minor, available, pending)
VALUES ('Pizza Margherita', 'Italian', 1299, 1, 1), ('Caesar Salad', 'Salad', 899, 1, 1);
