//! Places an order: ask the edges, hold the units, commit the answer with its facts.
//!
//! Promises: what the client is told is committed first, together with the facts that make it true. A failure on the way gives
//! back the holds made so far; a crash leaves holds that lapse. Under an idempotency key the first committed answer is the only one, and
//! requests take turns. One deadline is over all that is asked: an order that cannot be confirmed by then is refused.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use events::order::is_country;
use events::risk::RiskLevel;
use events::{CustomerId, OrderId, Timestamp};
use futures::future::join;
use runtime::clock::{self, Stopwatch};
use runtime::{Deadline, Identity, Metrics, Problem, Transactor};
use tracing::warn;

use crate::answer::{self, Answer, Rejection, to_json, told_before, unknown_products};
use crate::config::Config;
use crate::decide::{self, NoQuote, Quote};
use crate::edges::{Customer, EdgeDown, Edges, Transaction};
use crate::facts::{Risk, Sold};
use crate::holding::{HoldIds, Holding, NoUnits};
use crate::meters::Meters;
use crate::orders::NewOrder;
use crate::request::{Basket, Key, order_id};
use crate::turns::Turns;

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
    pub(crate) holding: Holding,
    edges: Arc<Edges>,
    turns: Turns,
    meters: Meters,
    order_timeout: Duration,
}

/// What is known once the order has its id.
struct Draft {
    order_id: OrderId,
    placed_at: Timestamp,
    asked: Asked,
    /// By when all edges have to have answered.
    deadline: Deadline,
}

/// Why an order is not confirmed.
enum No {
    /// It is rejected: kept, and said, of this customer.
    Rejected(Rejection, CustomerId),
    /// It never was an order, or cannot be one now: only the client is told.
    Refused(Problem),
}

impl Checkout {
    pub(crate) fn new(transactor: Transactor, config: &Config, identity: &Identity, metrics: &Metrics) -> Self {
        let edges = Arc::new(Edges::new(config, identity, metrics));
        Self {
            transactor,
            holding: Holding::new(Arc::clone(&edges), config.hold_minutes),
            edges,
            turns: Turns::default(),
            meters: Meters::new(metrics),
            order_timeout: config.order_timeout(),
        }
    }

    /// Places an order.
    ///
    /// # Errors
    /// Refusals that leave no trace: 422 for what no catalogue has and for a key used otherwise, 503 when an edge or the database
    /// cannot answer, or another request under the key does not come to its end.
    pub(crate) async fn place(&self, asked: Asked) -> Result<Answer, Problem> {
        let (since, customer_id) = (asked.since, asked.basket.customer_id.clone());
        let answer = self.decide(asked).await;
        self.meters.answered(&answer, since.elapsed());
        Ok(answer?.to(&customer_id))
    }

    async fn decide(&self, asked: Asked) -> Result<Answer, Problem> {
        let deadline = Deadline::after(self.order_timeout);
        // Two at once would hold the same holds, and the one that fails would give back what the other is about to sell.
        let _turn = match &asked.key {
            Some(key) => Some(self.turns.take(&key.hash, deadline).await?),
            None => None,
        };
        if let Some(key) = &asked.key
            && let Some(order) = self.told(key).await?
        {
            return told_before(order, key);
        }
        let draft = Draft { order_id: order_id(asked.key.as_ref()), placed_at: clock::now(), asked, deadline };
        let (customer, quote) = match self.validate(&draft).await {
            Ok(valid) => valid,
            Err(no) => return self.refuse(draft, no, Vec::new()).await,
        };
        let holds = self.holding.holds(&draft.order_id, draft.placed_at, &quote.lines);
        let holding = self.holding.hold(&draft.asked.basket.lines, holds, deadline);
        let (risk, (ids, held)) = join(self.score(&draft, &customer, &quote), holding).await;
        match held {
            // Not a word about stock to whom we do not sell.
            _ if risk.level == RiskLevel::High => {
                self.refuse(draft, No::Rejected(Rejection::HighRisk, customer.sealed_id), ids).await
            }
            Err(NoUnits::Short(short)) => {
                self.refuse(draft, No::Rejected(Rejection::OutOfStock(short), customer.sealed_id), ids).await
            }
            Err(NoUnits::Refused(problem)) => self.refuse(draft, No::Refused(problem), ids).await,
            Ok(held) => {
                let sold = Sold { customer_id: customer.sealed_id, quote, risk, held };
                self.confirm(draft, sold, ids).await
            }
        }
    }

    /// Asks who the customer is and what the catalogues say, side by side, and prices the basket.
    ///
    /// Under a key, units that seem to be missing are left to the ledgers' word: they may be held for this order by an earlier try.
    async fn validate(&self, draft: &Draft) -> Result<(Customer, Quote), No> {
        let Draft { asked, deadline, .. } = draft;
        let basket = &asked.basket;
        let customer = self.edges.crm.customer(&basket.customer_id, *deadline);
        let (customer, offers) = join(customer, self.edges.offers(&basket.lines, *deadline)).await;
        let Some(customer) = customer? else {
            // Whoever it was: the CRM has no sealed id for them, and what they called themselves is not repeated.
            return Err(No::Rejected(Rejection::UnknownCustomer, CustomerId::nobody()));
        };
        if !customer.in_good_standing() {
            return Err(No::Rejected(Rejection::CustomerSuspended, customer.sealed_id));
        }
        match decide::quote(&basket.lines, &offers?, customer.tier()) {
            Ok(quote) if quote.short.is_empty() => Ok((customer, quote)),
            Ok(quote) if asked.key.is_some() && quote.may_be_held => Ok((customer, quote)),
            Ok(quote) => Err(No::Rejected(Rejection::OutOfStock(quote.short), customer.sealed_id)),
            Err(NoQuote::Unknown(positions)) => Err(unknown_products(&positions).into()),
            Err(NoQuote::Amount(error)) => Err(Problem::internal(&error.to_string()).into()),
        }
    }

    async fn score(&self, draft: &Draft, customer: &Customer, quote: &Quote) -> Risk {
        let basket = &draft.asked.basket;
        let transaction = Transaction {
            transaction_type: "checkout",
            duration_ms: draft.asked.since.elapsed_ms(),
            success: true,
            order_id: &draft.order_id,
            customer_id: &customer.sealed_id,
            // The total is priced in cents and bounded, so this is exact.
            amount_minor: quote.total.minor().unwrap_or(i64::MAX),
            shipping_country: basket.shipping_country.as_deref(),
            billing_country: customer.country.as_deref(),
            line_count: quote.lines.len(),
            signals: &basket.signals,
        };
        let level = self.edges.fraud_engine.score(&transaction, draft.deadline).await;
        let is_told = |country: &String| level == RiskLevel::Unknown && is_country(country);
        let told = |country: &Option<String>| country.clone().filter(is_told);
        let (shipping_country, billing_country) = (told(&basket.shipping_country), told(&customer.country));
        Risk { level, shipping_country, billing_country }
    }

    async fn confirm(&self, draft: Draft, sold: Sold, ids: HoldIds) -> Result<Answer, Problem> {
        if draft.deadline.has_passed() {
            // Whoever asked has given up, or is about to: an order they do not know of would be worse than none.
            return self.refuse(draft, No::Refused(too_late()), ids).await;
        }
        let Draft { order_id, placed_at, asked, .. } = draft;
        let Sold { customer_id, quote, risk, .. } = &sold;
        self.meters.confirming(risk.level);
        let new = NewOrder {
            order_id: order_id.clone(),
            customer_id: customer_id.clone(),
            status_code: StatusCode::CREATED.as_u16(),
            response: answer::confirmed(&order_id, customer_id, quote, risk.level, placed_at),
            total_minor: quote.total.minor().map_err(|error| Problem::internal(&error.to_string()))?,
            key: asked.key,
            placed_at_ms: placed_at.as_millisecond(),
        };
        self.commit(new, sold.facts(order_id), asked.traceparent, ids).await
    }

    /// Says no, and gives back what is held for the order.
    async fn refuse(&self, draft: Draft, no: No, ids: HoldIds) -> Result<Answer, Problem> {
        let Draft { order_id, placed_at, asked, .. } = draft;
        match no {
            No::Rejected(rejection, customer_id) => {
                let problem = rejection.problem();
                let new = NewOrder {
                    order_id: order_id.clone(),
                    customer_id: customer_id.clone(),
                    status_code: problem.status,
                    response: to_json(&problem),
                    total_minor: 0,
                    key: asked.key,
                    placed_at_ms: placed_at.as_millisecond(),
                };
                let facts = vec![rejection.fact(order_id, customer_id).into()];
                self.commit(new, facts, asked.traceparent, ids).await
            }
            No::Refused(problem) => {
                // Another process may have had more luck under the same key: its holds are these holds.
                let told = match &asked.key {
                    Some(key) => self.told(key).await,
                    None => Ok(None),
                };
                match told {
                    Ok(Some(order)) => return self.defer_to(order, &order_id, asked.key.as_ref(), &ids).await,
                    Ok(None) => self.holding.release(&ids).await,
                    Err(cause) => {
                        warn!(order.id = %order_id, %cause, "whether the order was confirmed is not known, its holds are left to lapse");
                    }
                }
                Err(problem)
            }
        }
    }
}

impl From<Problem> for No {
    fn from(problem: Problem) -> Self {
        No::Refused(problem)
    }
}

impl From<EdgeDown> for No {
    fn from(down: EdgeDown) -> Self {
        No::Refused(down.into())
    }
}

fn too_late() -> Problem {
    Problem::unavailable("edge_unavailable", "the edges took too long together, nothing is held, try again")
}
