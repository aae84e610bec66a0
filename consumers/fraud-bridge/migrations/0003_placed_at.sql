-- When the order was placed, for those who ask late. Scorings from before have only the time at which they were heard of.
ALTER TABLE scorings ADD COLUMN placed_at_ms BIGINT;
