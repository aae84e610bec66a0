-- What the event was about, so that the failures of one order are found. Failures are rare: the index costs little.
ALTER TABLE attempts ADD COLUMN subject TEXT NOT NULL DEFAULT '';
CREATE INDEX attempts_subject ON attempts (subject);
