//! The audit itself, and what it says.

use serde::Serialize;

use crate::evidence::{Book, Evidence, Notes, ReadError};
use crate::invariant::Invariant;
use crate::{ledger, messages, once, orders, rows, shipping, stock};

/// An order that has not ended, and what it waits for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenOrder {
    /// Which order.
    pub order_id: String,
    /// Where it stands.
    pub status: String,
    /// The event that is missing, and who owes it.
    pub missing: String,
}

/// The audit's result.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Every invariant.
    pub invariants: Vec<Invariant>,
    /// Orders that have not ended.
    pub open_orders: Vec<OpenOrder>,
    /// Dead letters, by consumer and code.
    pub dead_letters: Vec<String>,
}

impl Report {
    /// True when every invariant holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.invariants.iter().all(|invariant| invariant.violations.is_empty())
    }
}

/// Reads every book once and checks every invariant.
///
/// In a shop that runs, what is on its way from one database to the next can look wrong for a moment: a violation counts only if a
/// later pass finds the very same one.
///
/// # Errors
/// [`ReadError`] when a database cannot be read.
pub async fn audit(books: &[Book], notes: Notes) -> Result<Report, ReadError> {
    let evidence = Evidence::gather(books, notes).await?;
    let invariants = vec![
        orders::check(&evidence),
        once::check(&evidence),
        stock::check(&evidence),
        ledger::check(&evidence),
        shipping::check(&evidence),
        messages::check(&evidence),
        rows::check(&evidence),
    ];
    Ok(Report { invariants, open_orders: orders::open(&evidence), dead_letters: messages::dead_letters(&evidence) })
}
