-- Holds that can still lapse, by their deadline: a minute looks at those that are due and at no others.
CREATE INDEX holds_lapsing ON holds (expires_at_ms) WHERE status = 'held';
