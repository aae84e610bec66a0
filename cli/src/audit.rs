//! Do the books add up? The invariants of ARCHITECTURE.md, checked on the services' own databases.
//!
//! The shop may run meanwhile: databases are read one after the other, so what is on its way from one to the next can look
//! wrong for a moment. A violation counts only if several passes find the very same one.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use crate::output;

mod books;
mod evidence;
mod ledger;
mod messages;
mod once;
mod orders;
mod rows;
mod shipping;
mod stock;

pub use books::Books;
use evidence::Evidence;

/// Passes a violation must survive.
const PASSES: u32 = 3;
/// Wait between two passes.
const PAUSE: Duration = Duration::from_millis(700);
/// The most violations printed of one invariant; all are counted.
const MOST_PRINTED: usize = 10;

/// One invariant and what was found.
#[derive(Debug, Clone, Serialize)]
pub struct Invariant {
    /// Its number in ARCHITECTURE.md.
    pub number: u32,
    /// What must hold.
    pub claim: &'static str,
    /// How many things were looked at.
    pub checked: usize,
    /// What breaks it.
    pub violations: BTreeSet<String>,
}

impl Invariant {
    fn new(number: u32, claim: &'static str) -> Self {
        Self { number, claim, checked: 0, violations: BTreeSet::new() }
    }

    /// Looks at one thing.
    fn check(&mut self, holds: bool, violation: impl FnOnce() -> String) {
        self.checked += 1;
        if !holds {
            self.violations.insert(violation());
        }
    }
}

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

/// Audits the books.
///
/// # Errors
/// When a database cannot be read.
pub async fn run(books: &Books) -> anyhow::Result<Report> {
    let mut report = pass(books).await?;
    for _ in 1..PASSES {
        if report.holds() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        let again = pass(books).await?;
        let earlier = std::mem::replace(&mut report, again);
        for (now, before) in report.invariants.iter_mut().zip(earlier.invariants) {
            now.violations.retain(|violation| before.violations.contains(violation));
        }
    }
    Ok(report)
}

async fn pass(books: &Books) -> anyhow::Result<Report> {
    let evidence = Evidence::gather(books).await?;
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

impl Report {
    /// True when every invariant holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.invariants.iter().all(|invariant| invariant.violations.is_empty())
    }

    /// The report for people.
    #[must_use]
    pub fn render(&self) -> String {
        let mut table = output::table(&["", "invariant", "checked", "violations"]);
        for invariant in &self.invariants {
            let verdict = match (invariant.checked, invariant.violations.is_empty()) {
                (0, true) => "nothing to check",
                (_, true) => "holds",
                (_, false) => "BROKEN",
            };
            let counts = (invariant.checked.to_string(), invariant.violations.len().to_string());
            table.add_row([
                verdict.to_owned(),
                format!("{}. {}", invariant.number, invariant.claim),
                counts.0,
                counts.1,
            ]);
        }
        let mut out = format!("{table}\n");
        let mut list = |title: String, lines: Vec<String>| {
            if lines.is_empty() {
                return;
            }
            let left_out = lines.len().saturating_sub(MOST_PRINTED);
            out.push_str(&format!("\n{title}\n"));
            for line in lines.into_iter().take(MOST_PRINTED) {
                out.push_str(&format!("  {line}\n"));
            }
            if left_out > 0 {
                out.push_str(&format!("  … and {left_out} more (--json lists all)\n"));
            }
        };
        for invariant in &self.invariants {
            list(format!("invariant {} is broken:", invariant.number), invariant.violations.iter().cloned().collect());
        }
        let open =
            self.open_orders.iter().map(|order| format!("{} {}: {}", order.order_id, order.status, order.missing));
        list("orders that have not ended:".to_owned(), open.collect());
        list("dead letters:".to_owned(), self.dead_letters.clone());
        out
    }
}
