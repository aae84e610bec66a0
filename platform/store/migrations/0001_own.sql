-- The key `seq` follows the order of handling, so that old rows are found without an index of their own.
CREATE TABLE inbox (
    seq {row_key},
    consumer TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    subject TEXT NOT NULL,
    handled_at_ms BIGINT NOT NULL,
    UNIQUE (consumer, source, id)
);
CREATE INDEX inbox_subject ON inbox (subject);

-- The newest row is never purged (outbox.rs), so a `seq` is never used twice.
CREATE TABLE outbox (
    seq {row_key},
    topic TEXT NOT NULL,
    key TEXT NOT NULL,
    attributes TEXT NOT NULL,
    data TEXT NOT NULL,
    event_id TEXT NOT NULL UNIQUE,
    event_type TEXT NOT NULL,
    subject TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    sent_at_ms BIGINT
);
CREATE INDEX outbox_unsent ON outbox (sent_at_ms, seq) WHERE sent_at_ms IS NULL;
CREATE INDEX outbox_subject ON outbox (subject);

CREATE TABLE attempts (
    seq {row_key},
    consumer TEXT NOT NULL,
    event_id TEXT NOT NULL,
    number BIGINT NOT NULL CHECK (number >= 1),
    event_type TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('transient', 'permanent')),
    code TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    UNIQUE (consumer, event_id, number)
);
