INSERT INTO stock (product_id, name, category, unit_price_minor, location, stock_level, reserved, reserved_manually, low_threshold, updated_at_ms)
VALUES
    ('OLJCESPC7Z', 'Vintage Typewriter', 'Vintage', 6799, 'main-warehouse', 45, 3, 3, 5, 1767225600000),
    ('66VCHSJNUP', 'Vintage Camera Lens', 'Photography', 1249, 'main-warehouse', 30, 0, 0, 5, 1767225600000),
    ('1YMWWN1N4O', 'Home Barista Kit', 'Kitchen', 12400, 'main-warehouse', 20, 0, 0, 5, 1767225600000),
    ('L9ECAV7KIM', 'Terrarium', 'Gardening', 3645, 'main-warehouse', 25, 0, 0, 5, 1767225600000),
    ('2ZYFJ3GM2N', 'Film Camera', 'Photography', 224500, 'main-warehouse', 15, 0, 0, 5, 1767225600000),
    ('0PUK6V6EV0', 'Vintage Record Player', 'Music', 6550, 'main-warehouse', 40, 0, 0, 5, 1767225600000),
    ('LS4PSXUNUM', 'Metal Camping Mug', 'Cookware', 2433, 'main-warehouse', 100, 0, 0, 5, 1767225600000),
    ('9SIQT8TOJO', 'City Bike', 'Cycling', 78950, 'main-warehouse', 12, 0, 0, 5, 1767225600000),
    ('6E92ZMYYFZ', 'Air Plant', 'Gardening', 1230, 'main-warehouse', 60, 0, 0, 5, 1767225600000),
    ('FOOD-1', 'Pizza Margherita', 'Italian', 1299, 'main-warehouse', 50, 0, 0, 5, 1767225600000),
    ('FOOD-2', 'Caesar Salad', 'Salad', 899, 'main-warehouse', 50, 0, 0, 5, 1767225600000);
