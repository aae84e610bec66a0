-- What is purged with a letter is found by it.
CREATE INDEX replay_items_of_letter ON replay_items (letter_id);
CREATE INDEX letters_by_death ON letters (last_died_at_ms);
CREATE INDEX plans_by_time ON plans (made_at_ms);
