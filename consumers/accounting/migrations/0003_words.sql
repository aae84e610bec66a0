-- What people wrote into a transaction is kept apart from what counts, so that a person can be taken out of the one without a change of the
-- other, which only grows. The rows move.
CREATE TABLE transaction_entries (
    id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
    made_on TEXT NOT NULL,
    deleted BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (id, version)
);
CREATE TABLE transaction_words (
    seq {serial_key},
    id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    item TEXT NOT NULL,
    customer TEXT NOT NULL,
    UNIQUE (id, version)
);
INSERT INTO transaction_entries (id, version, price_minor, made_on, deleted, at_ms)
    SELECT id, version, price_minor, made_on, deleted, at_ms FROM transaction_versions;
INSERT INTO transaction_words (id, version, item, customer)
    SELECT id, version, item, customer FROM transaction_versions ORDER BY id, version;
DROP TABLE transaction_versions;
