//! What an order waits for: the one table of status and missing thing → event, who owes it, since when, and until when.
//!
//! Pure. An order that has not ended always waits for something that has begun; `tests.rs` holds that over arbitrary sets of facts, so that
//! no order is silent for ever: a wait ends with its event, or its deadline makes the order stuck, or decides.

use std::fmt;

use events::billing::{InvoiceIssued, InvoiceRequested};
use events::fulfillment::{FulfillmentRequested, ShipmentDelivered, ShipmentDispatched};
use events::inventory::{StockCommitted, StockReserved};
use events::order::{OrderConfirmed, OrderOnHold, OrderReleased};
use events::risk::FraudCleared;
use events::{Fact, Ledger, topology};

use crate::deadlines::Deadlines;
use crate::decide::{self, Status};
use crate::facts::{Entry, Facts, Kind};

/// A thing an order may miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Its confirmation.
    Order,
    /// A ledger's word that its units are firm.
    Stock,
    /// Its invoice.
    Invoice,
    /// A person's word about an order on hold.
    Release,
    /// The fraud engine's word.
    Risk,
    /// The dispatch of a ledger's shipment.
    Dispatch,
    /// The delivery of a ledger's shipment.
    Delivery,
}

/// One line of the table.
struct Line {
    what: What,
    /// The name in answers; with the ledger behind a colon where there is one per ledger.
    name: &'static str,
    /// Whether each ledger of the order owes one.
    per_ledger: bool,
    /// In which statuses it can be missing.
    during: &'static [Status],
    /// The event that ends the wait.
    missing: &'static str,
    /// The event that leads to it, once who owes it has handled that.
    follows: &'static str,
    came: fn(&Facts, Option<Ledger>) -> bool,
    /// Since when it is waited for; `None` while something else has to come first.
    since: fn(&Facts, Option<Ledger>) -> Option<i64>,
    deadline: fn(&Deadlines) -> i64,
}

const UNDECIDED: &[Status] = &[Status::Pending, Status::Confirmed, Status::OnHold];
const UNDER_WAY: &[Status] = &[Status::Fulfilling, Status::Shipped];

/// The table. The place of a line is its bit in the orders' table: lines are added at the end.
const TABLE: [Line; 7] = [
    Line {
        what: What::Order,
        name: "order",
        per_ledger: false,
        during: UNDECIDED,
        missing: OrderConfirmed::TYPE,
        follows: OrderConfirmed::TYPE,
        came: |facts, _| facts.has(Kind::OrderConfirmed),
        since: |facts, _| earliest(facts),
        deadline: |deadlines| deadlines.order_ms,
    },
    Line {
        what: What::Stock,
        name: "stock",
        per_ledger: true,
        during: UNDECIDED,
        missing: StockCommitted::TYPE,
        follows: StockReserved::TYPE,
        came: |facts, ledger| of(facts, Kind::StockCommitted, ledger).is_some(),
        since: |facts, _| confirmed(facts),
        deadline: |deadlines| deadlines.stock_ms,
    },
    Line {
        what: What::Invoice,
        name: "invoice",
        per_ledger: false,
        during: UNDECIDED,
        missing: InvoiceIssued::TYPE,
        follows: InvoiceRequested::TYPE,
        came: |facts, _| facts.has(Kind::InvoiceIssued),
        since: |facts, _| confirmed(facts),
        deadline: |deadlines| deadlines.invoice_ms,
    },
    Line {
        what: What::Release,
        name: "release",
        per_ledger: false,
        during: &[Status::OnHold],
        missing: OrderReleased::TYPE,
        follows: OrderOnHold::TYPE,
        came: |facts, _| facts.has(Kind::OrderReleased),
        since: |facts, _| of(facts, Kind::OrderOnHold, None),
        deadline: |deadlines| deadlines.review_ms,
    },
    Line {
        what: What::Risk,
        name: "risk",
        per_ledger: false,
        during: &[Status::Confirmed],
        missing: FraudCleared::TYPE,
        follows: OrderConfirmed::TYPE,
        came: |facts, _| decide::is_clear(facts),
        since: |facts, _| confirmed(facts),
        deadline: |deadlines| deadlines.risk_ms,
    },
    Line {
        what: What::Dispatch,
        name: "dispatch",
        per_ledger: true,
        during: UNDER_WAY,
        missing: ShipmentDispatched::TYPE,
        follows: FulfillmentRequested::TYPE,
        came: |facts, ledger| ledger.is_some_and(|ledger| decide::has_left(facts, ledger)),
        since: |facts, _| of(facts, Kind::FulfillmentRequested, None),
        deadline: |deadlines| deadlines.dispatch_ms,
    },
    Line {
        what: What::Delivery,
        name: "delivery",
        per_ledger: true,
        during: UNDER_WAY,
        missing: ShipmentDelivered::TYPE,
        follows: FulfillmentRequested::TYPE,
        came: |facts, ledger| ledger.is_some_and(|ledger| decide::has_settled(facts, ledger)),
        since: |facts, ledger| of(facts, Kind::ShipmentDispatched, ledger),
        deadline: |deadlines| deadlines.delivery_ms,
    },
];

/// Every bit a set of waits can have.
pub(crate) const ALL_BITS: i64 = (1 << TABLE.len()) - 1;

/// A missing thing, of a ledger where there is one per ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    line: usize,
    ledger: Option<Ledger>,
}

/// A step that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    /// What is missing.
    pub step: Step,
    /// Since when, in milliseconds since the Unix epoch.
    pub since_ms: i64,
    /// Until when it may be missing.
    pub due_ms: i64,
    /// When it was said that the order is stuck for it, if it was.
    pub stuck_ms: Option<i64>,
}

/// What the order's row says about its waits, without knowing the deadlines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Watch {
    /// The lines of waits no deadline has spoken about, as bits.
    pub bits: i64,
    /// Since when the longest of these waits.
    pub from_ms: Option<i64>,
    /// Since when it is said to be stuck.
    pub stuck_since_ms: Option<i64>,
}

impl Step {
    fn line(&self) -> &'static Line {
        &TABLE[self.line]
    }

    /// Which thing.
    pub(crate) fn what(&self) -> What {
        self.line().what
    }

    /// Whose units it is about.
    pub(crate) fn ledger(&self) -> Option<Ledger> {
        self.ledger
    }

    /// The event that is missing.
    pub(crate) fn missing(&self) -> &'static str {
        self.line().missing
    }

    /// The event that leads to it.
    pub(crate) fn follows(&self) -> &'static str {
        self.line().follows
    }

    /// Who is to say it: of the services that say such events, the one the ledger is of.
    pub(crate) fn owed_by(&self) -> &'static str {
        let speakers = topology::speakers(self.missing());
        let of_ledger = speakers.iter().find(|name| self.ledger.is_some_and(|ledger| ledger.as_str() == **name));
        of_ledger.or(speakers.first()).copied().unwrap_or_default()
    }

    /// The fact that the order is stuck for it, as it is kept in the order's set.
    pub(crate) fn stuck(&self, at_ms: i64) -> Entry {
        Entry { ledger: self.ledger, part: Some(self.line().name.to_owned()), ..Entry::new(Kind::OrderStuck, at_ms) }
    }

    fn stuck_ms(&self, facts: &Facts) -> Option<i64> {
        let name = self.line().name;
        let said = |entry: &&Entry| {
            entry.kind == Kind::OrderStuck && entry.ledger == self.ledger && entry.part.as_deref() == Some(name)
        };
        facts.log.iter().find(said).map(|entry| entry.at_ms)
    }

    fn since(&self, facts: &Facts) -> Option<i64> {
        (self.line().since)(facts, self.ledger)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.line().name)?;
        self.ledger.map_or(Ok(()), |ledger| write!(f, ":{ledger}"))
    }
}

/// Everything that has to come before the order ends; nothing for one that is over.
pub(crate) fn missing(facts: &Facts) -> Vec<Step> {
    let status = decide::status(facts);
    let mut steps = Vec::new();
    for (line, row) in TABLE.iter().enumerate().filter(|(_, row)| row.during.contains(&status)) {
        let ledgers: Vec<Option<Ledger>> =
            if row.per_ledger { facts.ledgers.iter().copied().map(Some).collect() } else { vec![None] };
        let open = ledgers.into_iter().filter(|&ledger| !(row.came)(facts, ledger));
        steps.extend(open.map(|ledger| Step { line, ledger }));
    }
    steps
}

/// What has begun of it, each with its deadline.
pub(crate) fn waits(facts: &Facts, deadlines: &Deadlines) -> Vec<Wait> {
    let wait = |step: Step| {
        let since_ms = step.since(facts)?;
        let due_ms = since_ms.saturating_add((step.line().deadline)(deadlines));
        Some(Wait { step, since_ms, due_ms, stuck_ms: step.stuck_ms(facts) })
    };
    missing(facts).into_iter().filter_map(wait).collect()
}

/// Waits whose deadline has passed with the minute that ended at `minute_ms` and that nothing was said about yet.
pub(crate) fn overdue(facts: &Facts, deadlines: &Deadlines, minute_ms: i64) -> Vec<Wait> {
    waits(facts, deadlines).into_iter().filter(|wait| wait.due_ms <= minute_ms && wait.stuck_ms.is_none()).collect()
}

/// What the row is to say.
pub(crate) fn watch(facts: &Facts) -> Watch {
    let mut watch = Watch::default();
    let earlier = |known: Option<i64>, new: i64| Some(known.map_or(new, |known| known.min(new)));
    for step in missing(facts) {
        match (step.stuck_ms(facts), step.since(facts)) {
            (Some(said_ms), _) => watch.stuck_since_ms = earlier(watch.stuck_since_ms, said_ms),
            (None, Some(since_ms)) => {
                watch.bits |= 1 << step.line;
                watch.from_ms = earlier(watch.from_ms, since_ms);
            }
            (None, None) => {}
        }
    }
    watch
}

/// The shortest of the deadlines of a set of waits, in milliseconds.
pub(crate) fn shortest_ms(bits: i64, deadlines: &Deadlines) -> i64 {
    let of_bits = TABLE.iter().enumerate().filter(|(line, _)| bits & (1 << line) != 0);
    of_bits.map(|(_, row)| (row.deadline)(deadlines)).min().unwrap_or(i64::MAX)
}

fn earliest(facts: &Facts) -> Option<i64> {
    facts.log.iter().map(|entry| entry.at_ms).min()
}

fn confirmed(facts: &Facts) -> Option<i64> {
    of(facts, Kind::OrderConfirmed, None).or_else(|| earliest(facts))
}

fn of(facts: &Facts, kind: Kind, ledger: Option<Ledger>) -> Option<i64> {
    facts.log.iter().find(|entry| entry.kind == kind && entry.ledger == ledger).map(|entry| entry.at_ms)
}

#[cfg(test)]
mod tests;
