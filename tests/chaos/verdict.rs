//! What is left when the faults are over and everything has come to rest.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use force::audit::{Books, Report};
use force::clients::Counter;

use crate::shop::{BOUTIQUE, Shop};

/// How long orders may take to come to rest. A message that failed often waits for up to a minute before it comes again.
const REST: Duration = Duration::from_secs(150);

/// The books after a storm.
pub(crate) struct Verdict {
    /// Orders asked for.
    pub(crate) orders: usize,
    confirmed: usize,
    kills: u64,
    unanswered: usize,
    changed: Vec<String>,
    uncancelled: Vec<String>,
    report: Report,
}

impl Verdict {
    /// Asks for what was not answered, waits for rest, and audits.
    pub(crate) async fn reach(shop: &Shop, counter: &Counter, dice: &mut Rng, kills: u64) -> Verdict {
        let unanswered = counter.ask_again(dice).await;
        let books = shop.books();
        let books = Books { boutique: BOUTIQUE, notes: shop.folder(), databases: &books };
        let oms = shop.peer("oms");
        let report = books.audit_at_rest(&oms, REST).await.expect("the books can be audited");
        let notes = &counter.notes;
        let confirmed = notes.answered_count();
        Verdict {
            orders: confirmed + notes.refused_count() + unanswered,
            confirmed,
            kills,
            unanswered,
            changed: notes.changed(),
            uncancelled: notes.cancelled_in_vain(&oms).await,
            report,
        }
    }

    /// What is not as it must be. An order that is stuck and named is no wrong.
    pub(crate) fn wrongs(&self) -> Vec<String> {
        let unanswered = (self.unanswered > 0).then(|| format!("{} orders are not answered", self.unanswered));
        let words = self.changed.iter().chain(&self.uncancelled).cloned();
        self.report.violations().into_iter().chain(unanswered).chain(words).collect()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { orders, confirmed, kills, report, .. } = self;
        for order in &report.open_orders {
            writeln!(f, "stuck: order {} {}: {}", order.order_id, order.status, order.missing)?;
        }
        for letter in &report.dead_letters {
            writeln!(f, "dead letter: {letter}")?;
        }
        for wrong in self.wrongs() {
            writeln!(f, "WRONG: {wrong}")?;
        }
        let [lost, doubled, oversold, unbalanced] = [1, 2, 3, 4].map(|number| report.broken(number).len());
        write!(
            f,
            "total: orders {orders}, confirmed {confirmed}, kills {kills}, lost {lost}, doubled {doubled}, oversold {oversold}, \
             unbalanced {unbalanced}, stuck {}",
            report.open_orders.len()
        )
    }
}
