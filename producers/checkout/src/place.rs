//! Places an order: ask the edges, hold the units, commit the answer with its facts.
//!
//! Promises: what the client is told is committed first, together with the facts that make it true. A failure on the way gives
//! back the holds made so far; a crash leaves holds that lapse. Under an idempotency key the first committed answer is the only one. One
//! deadline is over all that is asked: an order that cannot be confirmed by then is refused.

use std::time::Duration;

use axum::http::StatusCode;
use events::billing::InvoiceRequested;
use events::id::derived;
use events::inventory::StockReserved;
use events::order::{OrderConfirmed, is_country};
use events::risk::RiskLevel;
use events::{CustomerId, Event, Ledger, OrderId, OrderLine, ReservationId, Timestamp};
use futures::future::{join, join_all};
use runtime::clock::{self, Stopwatch};
use runtime::{Cause, Deadline, Identity, Metrics, Problem, Transactor};

use crate::answer::{self, Answer, Rejection, to_json, told_before, unknown_products};
use crate::config::Config;
use crate::decide::{self, NoQuote, Quote, Short};
use crate::edges::{Customer, EdgeDown, Edges, Hold, NoHold, Transaction};
use crate::meters::Meters;
use crate::orders::{self, NewOrder, Order, confirms};
use crate::request::{Basket, Key, order_id};

/// Holds of one order in one ledger that were given back before an id is taken that nobody can find again: a client that tries under
/// one key for so long must not wait for ever more questions to the ledger.
const MOST_GIVEN_BACK: u32 = 16;
/// How long giving back may take when an order is refused, after its deadline too. What takes longer lapses.
const RELEASE_WITHIN: Duration = Duration::from_secs(1);

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
    meters: Meters,
    hold_ms: i64,
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

/// What is known of an order's risk.
struct Risk {
    level: RiskLevel,
    /// Where goods and bill go, when the risk is unknown: whoever has it scored later needs them.
    shipping_country: Option<String>,
    billing_country: Option<String>,
}

/// Holds that may exist.
type HoldIds = Vec<(Ledger, ReservationId)>;

/// Why an order is not confirmed.
enum No {
    /// It is rejected: kept, and said, of this customer.
    Rejected(Rejection, CustomerId),
    /// It never was an order, or cannot be one now: only the client is told.
    Refused(Problem),
}

/// Why there are no holds.
enum NoUnits {
    /// A ledger says that lines are short.
    Short(Vec<Short>),
    /// A ledger has no word for it, or none now.
    Refused(Problem),
}

/// An order that goes through.
struct Sold {
    /// Whose, sealed.
    customer_id: CustomerId,
    quote: Quote,
    risk: Risk,
    held: Vec<Hold>,
}

/// What the transaction found.
enum Written {
    /// Nothing: this answer is the one.
    Now(Answer),
    /// Another request under the same key was first.
    Before(Order),
}

impl Checkout {
    pub(crate) fn new(transactor: Transactor, config: &Config, identity: &Identity, metrics: &Metrics) -> Self {
        Self {
            transactor,
            edges: Edges::new(config, identity, metrics),
            meters: Meters::new(metrics),
            hold_ms: i64::from(config.hold_minutes) * 60_000,
            order_timeout: config.order_timeout(),
        }
    }

    /// Places an order.
    ///
    /// # Errors
    /// Refusals that leave no trace: 422 for what no catalogue has and for a key used otherwise, 503 when an edge or the database
    /// cannot answer.
    pub(crate) async fn place(&self, asked: Asked) -> Result<Answer, Problem> {
        let (since, customer_id) = (asked.since, asked.basket.customer_id.clone());
        let answer = self.decide(asked).await;
        self.meters.answered(&answer, since.elapsed());
        Ok(answer?.to(&customer_id))
    }

    async fn decide(&self, asked: Asked) -> Result<Answer, Problem> {
        let deadline = Deadline::after(self.order_timeout);
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
        let holds = self.holds(&draft, &quote);
        let (risk, (ids, held)) = join(self.score(&draft, &customer, &quote), self.hold(&draft, holds)).await;
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

    /// The answer given before under a key.
    async fn told(&self, key: &Key) -> Result<Option<Order>, Problem> {
        let key = key.hash.clone();
        Ok(self.transactor.store().read(move |tx| orders::by_key(tx, &key)).await?)
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

    /// One hold for each ledger the lines come from.
    fn holds(&self, draft: &Draft, quote: &Quote) -> Vec<Hold> {
        let expires_at = clock::from_ms(draft.placed_at.as_millisecond() + self.hold_ms);
        let of = |ledger: Ledger| {
            let lines: Vec<_> = quote.lines.iter().filter(|line| line.ledger == ledger).map(OrderLine::stock).collect();
            (!lines.is_empty()).then(|| Hold {
                order_id: draft.order_id.clone(),
                reservation_id: reservation_id(&draft.order_id, ledger, 0),
                ledger,
                lines,
                expires_at,
            })
        };
        Ledger::ALL.into_iter().filter_map(of).collect()
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

    /// Asks every ledger for its hold, side by side. Also answers which holds may now exist.
    async fn hold(&self, draft: &Draft, holds: Vec<Hold>) -> (HoldIds, Result<Vec<Hold>, NoUnits>) {
        let line = |ledger: Ledger, index: usize| {
            let lines = draft.asked.basket.lines.iter();
            let mut lines = lines.filter(|line| decide::owner(&line.product_id).ledger() == ledger);
            lines.nth(index)
        };
        let (mut ids, mut held, mut short) = (Vec::new(), Vec::new(), Vec::new());
        let mut refused = None;
        for (ledger, id, answer) in join_all(holds.into_iter().map(|hold| self.hold_one(hold, draft.deadline))).await {
            ids.push((ledger, id));
            match answer {
                Ok(hold) => held.push(hold),
                Err(NoHold::OutOfStock(lines)) => short.extend(lines.into_iter().map(|(index, problem)| {
                    // A ledger that numbers lines it was not asked for still said no.
                    let position = line(ledger, index).map_or(index, |line| line.position);
                    Short { position, problem }
                })),
                Err(NoHold::UnknownProduct) => refused = Some(unknown_products(&[])),
                Err(NoHold::Released) => refused = Some(EdgeDown(ledger.as_str()).into()),
                Err(NoHold::Down(down)) => refused = Some(down.into()),
            }
        }
        let held = match refused {
            Some(problem) => Err(NoUnits::Refused(problem)),
            None if held.len() < ids.len() => Err(NoUnits::Short(short)),
            None => Ok(held),
        };
        (ids, held)
    }

    /// A hold of an earlier try under the same key serves as long as half of its time is left; otherwise it is given back, and the
    /// order holds anew under the next id. Ids follow each other in the same way in every try, so that a hold which a crash left
    /// behind is found and not made a second time.
    async fn hold_one(&self, mut hold: Hold, deadline: Deadline) -> (Ledger, ReservationId, Result<Hold, NoHold>) {
        let ledger = self.edges.ledger(hold.ledger);
        let usable_from = clock::from_ms(hold.expires_at.as_millisecond() - self.hold_ms / 2);
        let mut given_back = 0;
        let answer = loop {
            let answer = ledger.hold(&hold, deadline).await;
            match &answer {
                _ if given_back == MOST_GIVEN_BACK => break answer,
                Ok(expires_at) if *expires_at < usable_from => ledger.release(&hold.reservation_id, deadline).await,
                Err(NoHold::Released) => {}
                _ => break answer,
            }
            given_back += 1;
            hold.reservation_id = if given_back == MOST_GIVEN_BACK {
                ReservationId::from_uuid(clock::new_id())
            } else {
                reservation_id(&hold.order_id, hold.ledger, given_back)
            };
        };
        let held = answer.map(|expires_at| {
            hold.expires_at = expires_at;
        });
        (hold.ledger, hold.reservation_id.clone(), held.map(|()| hold))
    }

    async fn confirm(&self, draft: Draft, sold: Sold, ids: HoldIds) -> Result<Answer, Problem> {
        if draft.deadline.has_passed() {
            // Whoever asked has given up, or is about to: an order they do not know of would be worse than none.
            return self.refuse(draft, No::Refused(too_late()), ids).await;
        }
        let Draft { order_id, placed_at, asked, .. } = draft;
        let Sold { customer_id, quote, risk, held } = sold;
        self.meters.confirming(risk.level);
        let new = NewOrder {
            order_id: order_id.clone(),
            customer_id: customer_id.clone(),
            status_code: StatusCode::CREATED.as_u16(),
            response: answer::confirmed(&order_id, &customer_id, &quote, risk.level, placed_at),
            total_minor: quote.total.minor().map_err(|error| Problem::internal(&error.to_string()))?,
            key: asked.key,
            placed_at_ms: placed_at.as_millisecond(),
        };
        let facts = facts(order_id, customer_id, quote, risk, held);
        self.commit(new, facts, asked.traceparent, ids).await
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
                // Another request under the same key may have had more luck: its holds are these holds.
                if let Some(key) = &asked.key
                    && let Ok(Some(order)) = self.told(key).await
                {
                    return self.defer_to(order, &order_id, Some(key), &ids).await;
                }
                self.release(&ids).await;
                Err(problem)
            }
        }
    }

    /// Commits an answer with its facts, unless one was committed before. Holds without a confirmed order are given back.
    async fn commit(
        &self,
        new: NewOrder,
        facts: Vec<Event>,
        traceparent: String,
        ids: HoldIds,
    ) -> Result<Answer, Problem> {
        let (order_id, key) = (new.order_id.clone(), new.key.clone());
        let cause = Cause::Beginning { traceparent: Some(traceparent) };
        let written = self.transactor.run(cause, move |tx| {
            if orders::insert(tx, &new)? {
                let answer = Answer {
                    order_id: new.order_id.as_str().to_owned(),
                    customer_id: new.customer_id.as_str().to_owned(),
                    status_code: new.status_code,
                    body: new.response,
                };
                return Ok((Written::Now(answer), facts));
            }
            let before = match &new.key {
                Some(key) => orders::by_key(tx, &key.hash)?,
                None => None,
            };
            let before = match before {
                None => orders::by_id(tx, new.order_id.as_str())?,
                before => before,
            };
            let before = before.ok_or_else(|| Problem::internal("a row refused another and is not there"))?;
            Ok::<_, Problem>((Written::Before(before), Vec::new()))
        });
        match written.await {
            Ok(Written::Now(answer)) => {
                if !confirms(answer.status_code) {
                    self.release(&ids).await;
                }
                Ok(answer)
            }
            Ok(Written::Before(order)) => self.defer_to(order, &order_id, key.as_ref(), &ids).await,
            Err(problem) => {
                self.release(&ids).await;
                Err(problem)
            }
        }
    }

    /// Gives the answer that was committed first. If it confirms this very order, the holds are its own and stay.
    async fn defer_to(
        &self,
        order: Order,
        order_id: &OrderId,
        key: Option<&Key>,
        ids: &[(Ledger, ReservationId)],
    ) -> Result<Answer, Problem> {
        let ours = order.order_id == order_id.as_str() && order.status == orders::CONFIRMED;
        if !ours {
            self.release(ids).await;
        }
        match key {
            Some(key) => told_before(order, key),
            None => Ok(order.into()),
        }
    }

    async fn release(&self, ids: &[(Ledger, ReservationId)]) {
        let deadline = Deadline::after(RELEASE_WITHIN);
        join_all(ids.iter().map(|(ledger, id)| self.edges.ledger(*ledger).release(id, deadline))).await;
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

/// What is said about a confirmed order, encoded before the transaction begins.
fn facts(order_id: OrderId, customer_id: CustomerId, quote: Quote, risk: Risk, held: Vec<Hold>) -> Vec<Event> {
    let Risk { level: risk, shipping_country, billing_country } = risk;
    let Quote { lines, discount, total, .. } = quote;
    let invoice = InvoiceRequested {
        order_id: order_id.clone(),
        customer_id: customer_id.clone(),
        lines: lines.clone(),
        discount: discount.clone(),
        total: total.clone(),
    };
    let mut facts = Vec::with_capacity(held.len() + 2);
    let confirmed =
        OrderConfirmed { order_id, customer_id, lines, discount, total, risk, shipping_country, billing_country };
    facts.push(confirmed.into());
    facts.extend(held.into_iter().map(|Hold { order_id, reservation_id, ledger, lines, expires_at }| {
        Event::from(StockReserved { order_id, reservation_id, ledger, lines, expires_at })
    }));
    facts.push(invoice.into());
    facts
}

/// The same order holds the same units once in each ledger, however often it asks, until it gives them back.
fn reservation_id(order_id: &OrderId, ledger: Ledger, given_back: u32) -> ReservationId {
    let name = match given_back {
        0 => format!("{order_id}/{ledger}"),
        times => format!("{order_id}/{ledger}/{times}"),
    };
    ReservationId::from_uuid(derived("reservation", &name))
}
