//! The double-entry ledger. Rows are added and read, never changed: no statement here or elsewhere does anything else.

use store::{StoreError, Tx, params};

const OPEN: &str = "INSERT INTO ledger_transactions (transaction_id, kind, order_id, at_ms) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (transaction_id) DO NOTHING";
const MOVE: &str = "INSERT INTO ledger_entries (transaction_id, position, account, side, amount_minor)
    VALUES (?1, ?2, ?3, 'debit', ?6), (?1, ?4, ?5, 'credit', ?6)";
const BALANCE: &str = "SELECT account, SUM(CASE WHEN side = 'debit' THEN amount_minor ELSE 0 END),
    SUM(CASE WHEN side = 'credit' THEN amount_minor ELSE 0 END) FROM ledger_entries GROUP BY account ORDER BY account";

/// An account of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// What customers owe.
    AccountsReceivable,
    /// What was invoiced and is not earned yet.
    DeferredRevenue,
    /// What was earned.
    Revenue,
    /// What was earned and given back.
    SalesReturns,
}

impl Account {
    fn as_str(self) -> &'static str {
        match self {
            Account::AccountsReceivable => "accounts_receivable",
            Account::DeferredRevenue => "deferred_revenue",
            Account::Revenue => "revenue",
            Account::SalesReturns => "sales_returns",
        }
    }
}

/// What a ledger transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An order's invoice.
    Invoice,
    /// A shipment's revenue.
    Revenue,
    /// A credit note.
    Refund,
    /// One that was entered by hand.
    Transaction,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Invoice => "invoice",
            Kind::Revenue => "revenue",
            Kind::Refund => "refund",
            Kind::Transaction => "transaction",
        }
    }
}

/// An amount on both sides, so that every transaction balances by its making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) debit: Account,
    pub(crate) credit: Account,
    /// Hundredths; nothing is written for 0.
    pub(crate) amount_minor: i64,
}

/// Opens the transaction `kind`-`of`. False when it is there already: what it stands for was done before.
pub(crate) fn open(tx: &mut Tx<'_>, kind: Kind, of: &str, order_id: Option<&str>) -> Result<Opened, StoreError> {
    let now_ms = tx.now_ms();
    let transaction_id = format!("{}-{of}", kind.as_str());
    let new = tx.execute(OPEN, params![&transaction_id, kind.as_str(), order_id, now_ms])? == 1;
    Ok(if new { Opened::New(Opening { transaction_id }) } else { Opened::Before })
}

/// Whether a transaction is new.
pub(crate) enum Opened {
    /// It is, and wants its entries.
    New(Opening),
    /// It is not.
    Before,
}

/// A transaction without entries.
pub(crate) struct Opening {
    transaction_id: String,
}

impl Opening {
    /// Writes its entries.
    pub(crate) fn post(self, tx: &mut Tx<'_>, moves: &[Move]) -> Result<(), StoreError> {
        let mut position: i64 = 1;
        for Move { debit, credit, amount_minor } in moves.iter().filter(|each| each.amount_minor != 0) {
            let values =
                params![&self.transaction_id, position, debit.as_str(), position + 1, credit.as_str(), *amount_minor];
            tx.execute(MOVE, values)?;
            position += 2;
        }
        Ok(())
    }
}

/// Debits and credits of an account, in hundredths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Balance {
    pub(crate) account: String,
    pub(crate) debit_minor: i64,
    pub(crate) credit_minor: i64,
}

/// The sums of every account. Reads the whole ledger.
pub(crate) fn balances(tx: &mut Tx<'_>) -> Result<Vec<Balance>, StoreError> {
    tx.query(BALANCE, &[], |row| {
        Ok(Balance { account: row.get_text(0)?, debit_minor: row.get_i64(1)?, credit_minor: row.get_i64(2)? })
    })
}
