//! Do the books add up? The invariants of ARCHITECTURE.md, checked on the services' own databases.
//!
//! The shop may run meanwhile: databases are read one after the other, so what is on its way from one to the next can look
//! wrong for a moment. A violation counts only if several passes find it, whatever amounts it is told with.

use std::time::Duration;

use crate::{output, raw_events};

mod books;

pub use ::audit::Report;
use ::audit::{KEPT_DAYS, Notes};
pub use books::Books;
use jiff::SignedDuration;

/// Passes a violation must survive.
const PASSES: u32 = 3;
/// Wait between two passes.
const PAUSE: Duration = Duration::from_millis(700);
/// The most violations printed of one invariant; all are counted.
const MOST_PRINTED: usize = 10;

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
            now.keep_known(&before);
        }
    }
    Ok(report)
}

async fn pass(books: &Books) -> anyhow::Result<Report> {
    let opened = books.open()?;
    let now = runtime::clock::now();
    let kept = now - SignedDuration::from_hours(24 * KEPT_DAYS);
    // Rows first: an event is a row after it was said.
    let rows = raw_events::events(&books.data, kept)?;
    let notes = Notes { rows, answered: books.answered()?, now_ms: now.as_millisecond() };
    let report = ::audit::audit(&opened, notes).await;
    for book in opened {
        book.store.close().await;
    }
    Ok(report?)
}

/// The report for people.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut table = output::table(&["", "invariant", "checked", "violations"]);
    for invariant in &report.invariants {
        let verdict = match (invariant.checked, invariant.violations.is_empty()) {
            (0, true) => "nothing to check",
            (_, true) => "holds",
            (_, false) => "BROKEN",
        };
        let counts = (invariant.checked.to_string(), invariant.violations.len().to_string());
        table.add_row([verdict.to_owned(), format!("{}. {}", invariant.number, invariant.claim), counts.0, counts.1]);
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
    for invariant in &report.invariants {
        list(format!("invariant {} is broken:", invariant.number), invariant.violations.values().cloned().collect());
    }
    let open = report.open_orders.iter().map(|order| format!("{} {}: {}", order.order_id, order.status, order.missing));
    list("orders that have not ended:".to_owned(), open.collect());
    list("dead letters:".to_owned(), report.dead_letters.clone());
    out
}
