-- What a shop begins with: one transaction, entered by hand before anybody came, with its entries in the ledger. Not where there are others.
INSERT INTO transactions (created_at_ms) SELECT 1767225600000 WHERE NOT EXISTS (SELECT 1 FROM transactions);
INSERT INTO transaction_entries (id, version, price_minor, made_on, deleted, at_ms)
    SELECT id, 1, 7550, '2025-07-20', 0, created_at_ms FROM transactions
    WHERE NOT EXISTS (SELECT 1 FROM transaction_entries);
INSERT INTO transaction_words (id, version, item, customer)
    SELECT id, 1, 'Office Supplies', 'John Doe' FROM transactions
    WHERE NOT EXISTS (SELECT 1 FROM transaction_words);
INSERT INTO ledger_transactions (transaction_id, kind, order_id, at_ms)
    SELECT 'transaction-' || CAST(id AS TEXT) || '-1', 'transaction', NULL, created_at_ms FROM transactions
    WHERE created_at_ms = 1767225600000;
INSERT INTO ledger_entries (transaction_id, position, account, side, amount_minor)
    SELECT 'transaction-' || CAST(id AS TEXT) || '-1', 1, 'accounts_receivable', 'debit', 7550 FROM transactions
    WHERE created_at_ms = 1767225600000;
INSERT INTO ledger_entries (transaction_id, position, account, side, amount_minor)
    SELECT 'transaction-' || CAST(id AS TEXT) || '-1', 2, 'revenue', 'credit', 7550 FROM transactions
    WHERE created_at_ms = 1767225600000;
