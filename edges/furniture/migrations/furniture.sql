CREATE TABLE furniture_numbers (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    last BIGINT NOT NULL
);
CREATE INDEX stock_by_furniture_number ON stock ((CAST(substr(product_id, 6) AS BIGINT)));
INSERT INTO furniture_numbers (one, last) VALUES (1, 2);
INSERT INTO stock (product_id, name, category, unit_price_minor, location, stock_level, low_threshold, updated_at_ms)
VALUES
    ('FURN-1', 'Oak Desk', 'Office', 29999, 'freight-warehouse', 20, 2, 1767225600000),
    ('FURN-2', 'Leather Sofa', 'Living Room', 89999, 'freight-warehouse', 20, 2, 1767225600000);
