-- When the tables were written anew after the key of an erased customer was destroyed: until then it may be in a page or the log, and every
-- start of the service tries again. And how the one who was erased is recognised by the id they knew until a look for what is left was clean:
-- a keyed hash, another one than `subjects` had.
ALTER TABLE erasures ADD COLUMN scrubbed_at_ms BIGINT;
ALTER TABLE erasures ADD COLUMN claim TEXT;
-- A look comes after the tables were written anew.
UPDATE erasures SET scrubbed_at_ms = erased_at_ms WHERE proved_at_ms IS NOT NULL;
