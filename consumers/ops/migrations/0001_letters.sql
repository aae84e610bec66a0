-- One row for each event that died at a consumer, however often it died there.
CREATE TABLE letters (
    letter_id TEXT PRIMARY KEY,
    consumer TEXT NOT NULL,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    order_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'replaying', 'handled', 'archived')),
    code TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    reason TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    attempts_known BIGINT NOT NULL,
    deaths BIGINT NOT NULL CHECK (deaths >= 1),
    occurred_at_ms BIGINT NOT NULL,
    first_died_at_ms BIGINT NOT NULL,
    last_died_at_ms BIGINT NOT NULL,
    replay_id TEXT NOT NULL,
    edit_id TEXT NOT NULL,
    attributes TEXT NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (consumer, source, event_id),
    CHECK (state <> 'replaying' OR replay_id <> '')
);
CREATE INDEX letters_by_state ON letters (state, consumer);
CREATE INDEX letters_by_order ON letters (order_id);

CREATE TABLE deaths (
    death_id TEXT PRIMARY KEY,
    letter_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('consumer', 'pubsub')),
    code TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    reason TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    died_at_ms BIGINT NOT NULL,
    kept_at_ms BIGINT NOT NULL,
    replay_id TEXT NOT NULL
);
CREATE INDEX deaths_of_letter ON deaths (letter_id);

-- A letter has one edit that counts, letters.edit_id; the others were replaced.
CREATE TABLE edits (
    edit_id TEXT PRIMARY KEY,
    letter_id TEXT NOT NULL,
    patch TEXT NOT NULL,
    diff TEXT NOT NULL,
    data TEXT NOT NULL,
    made_by TEXT NOT NULL,
    why TEXT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    approved_by TEXT CHECK (approved_by <> made_by),
    approved_why TEXT,
    approved_at_ms BIGINT
);
CREATE INDEX edits_of_letter ON edits (letter_id);

-- Plans are never changed but for the replay that used them up.
CREATE TABLE plans (
    plan_hash TEXT PRIMARY KEY,
    consumer TEXT NOT NULL,
    filter TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    letters BIGINT NOT NULL,
    replay_id TEXT UNIQUE
);

CREATE TABLE plan_items (
    plan_hash TEXT NOT NULL,
    position BIGINT NOT NULL,
    letter_id TEXT NOT NULL,
    prediction TEXT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    says TEXT NOT NULL,
    deaths BIGINT NOT NULL,
    edit_id TEXT NOT NULL,
    PRIMARY KEY (plan_hash, position)
);

CREATE TABLE replays (
    replay_id TEXT PRIMARY KEY,
    plan_hash TEXT NOT NULL UNIQUE,
    consumer TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'stopped', 'finished', 'cancelled')),
    note TEXT NOT NULL,
    made_by TEXT NOT NULL,
    why TEXT NOT NULL,
    rate_per_s BIGINT NOT NULL CHECK (rate_per_s > 0),
    ramp TEXT NOT NULL,
    stop_permille BIGINT NOT NULL CHECK (stop_permille BETWEEN 0 AND 1000),
    ramp_at BIGINT NOT NULL,
    step BIGINT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    resumed_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL
);

CREATE TABLE replay_items (
    replay_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    letter_id TEXT NOT NULL,
    edit_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'published', 'handled', 'failed', 'skipped')),
    step BIGINT NOT NULL,
    attempts_before BIGINT NOT NULL,
    published_at_ms BIGINT NOT NULL,
    settled_at_ms BIGINT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (replay_id, position)
);
CREATE INDEX replay_items_by_state ON replay_items (replay_id, state, step, position);

-- Only ever added to.
CREATE TABLE audit (
    seq {serial_key},
    at_ms BIGINT NOT NULL,
    action TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    why TEXT NOT NULL,
    what TEXT NOT NULL,
    letter_id TEXT NOT NULL,
    replay_id TEXT NOT NULL
);
