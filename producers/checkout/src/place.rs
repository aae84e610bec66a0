//! Places an order: ask the edges, hold the units, commit the answer with its facts.
//!
//! Promises: what the client is told is committed first, together with the facts that make it true. A failure on the way gives
//! back the holds made so far; a crash leaves holds that lapse. Under an idempotency key the first committed answer is the only one.

use events::billing::InvoiceRequested;
use events::id::derived;
use events::inventory::StockReserved;
use events::order::OrderConfirmed;
use events::risk::RiskLevel;
use events::{Event, Ledger, OrderId, ReservationId, Timestamp};
use futures::future::{join, join_all};
use runtime::clock::{self, Stopwatch};
use runtime::{Cause, Problem, Transactor};

use crate::answer::{self, Answer, Rejection, to_json, told_before, unknown_products};
use crate::config::Config;
use crate::decide::{self, NoQuote, Quote, Short};
use crate::edges::{Customer, Edges, Hold, NoHold, Transaction};
use crate::orders::{self, NewOrder, Order, confirms};
use crate::request::{Basket, Key, order_id};

/// An order as it comes through the door.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// What is wanted, by whom.
    pub basket: Basket,
    /// What makes a repeated request the same request.
    pub key: Option<Key>,
    /// W3C trace context.
    pub traceparent: String,
    /// Runs since the request came.
    pub since: Stopwatch,
}

/// Checkout at work.
pub(crate) struct Checkout {
    pub(crate) transactor: Transactor,
    edges: Edges,
    hold_ms: i64,
}

/// What is known once the order has its id.
struct Draft {
    order_id: OrderId,
    placed_at: Timestamp,
    asked: Asked,
}

/// Why an order is not confirmed.
enum No {
    /// It is rejected: kept, and said.
    Rejected(Rejection),
    /// It never was an order, or cannot be one now: only the client is told.
    Refused(Problem),
}

impl<E: Into<Problem>> From<E> for No {
    fn from(error: E) -> Self {
        No::Refused(error.into())
    }
}

impl Checkout {
    pub(crate) fn new(transactor: Transactor, config: &Config) -> Self {
        Self { transactor, edges: Edges::new(config), hold_ms: i64::from(config.hold_minutes) * 60_000 }
    }

    /// Places an order.
    ///
    /// # Errors
    /// Refusals that leave no trace: 422 for what no catalogue has and for a key used otherwise, 503 when an edge or the database
    /// cannot answer.
    pub(crate) async fn place(&self, asked: Asked) -> Result<Answer, Problem> {
        if let Some(key) = &asked.key
            && let Some(order) = self.told(key).await?
        {
            return told_before(order, key);
        }
        let draft = Draft { order_id: order_id(asked.key.as_ref()), placed_at: clock::now(), asked };
        let (customer, quote) = match self.validate(&draft.asked.basket).await {
            Ok(valid) => valid,
            Err(No::Rejected(rejection)) => return self.reject(draft, &rejection, &[]).await,
            Err(No::Refused(problem)) => return Err(problem),
        };
        let holds = self.wanted_holds(&draft, &quote);
        let (risk, held) = join(self.score(&draft, &customer, &quote), self.hold(&holds)).await;
        match held.and_then(|held| if risk == RiskLevel::High { Err(Rejection::HighRisk.into()) } else { Ok(held) }) {
            Ok(held) => self.confirm(draft, quote, risk, held).await,
            Err(Unheld::Rejected(rejection)) => {
                let rejection = if risk == RiskLevel::High { Rejection::HighRisk } else { rejection };
                self.reject(draft, &rejection, &holds).await
            }
            Err(Unheld::UnknownProduct(positions)) => self.give_up(&draft, &holds, unknown_products(&positions)).await,
            Err(Unheld::Refused(problem)) => self.give_up(&draft, &holds, problem).await,
        }
    }
}
