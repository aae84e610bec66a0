//! Orders as the REST doors show them.

use events::order::CancellationReason;
use events::{CustomerId, EventId, Ledger, Money, OrderLine, StockLine, Timestamp};
use runtime::clock;
use schemars::JsonSchema;
use serde::Serialize;
use store::StoreError;

use crate::deadlines::Deadlines;
use crate::decide::{self, Status};
use crate::facts::{Entry, Facts, Kind, Units};
use crate::order::Order;
use crate::waits::{self, Wait};
use crate::{claims, returns};

/// An order in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderView {
    order_id: String,
    status: Status,
    customer_id: Option<CustomerId>,
    total: Option<Money>,
    placed_at: Option<Timestamp>,
    updated_at: Timestamp,
    waiting_for: Vec<String>,
    waits: Vec<WaitView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancellation_reason: Option<CancellationReason>,
}

/// An order on its own.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderDetail {
    #[serde(flatten)]
    order: OrderView,
    lines: Vec<OrderLine>,
    discount: Option<Money>,
    returns: Vec<ReturnView>,
    facts: Vec<FactView>,
}

/// One thing that has to come, and by when.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WaitView {
    /// Its name in `waitingFor`.
    step: String,
    /// Wire type of the event that is missing.
    missing: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<Ledger>,
    /// Wire type of the event that leads to it.
    follows: &'static str,
    /// The service that is to say it.
    owed_by: &'static str,
    since: Timestamp,
    deadline: Timestamp,
    /// Since when the order is stuck for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    stuck_since: Option<Timestamp>,
}

/// A return of an order.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReturnView {
    return_id: String,
    status: returns::State,
    lines: Vec<StockLine>,
    requested_at: Timestamp,
    /// What was asked to be given back for it; absent while nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<Money>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FactView {
    #[serde(rename = "type")]
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<Ledger>,
    /// `null` for requests and for what OMS said itself.
    event_id: Option<EventId>,
    at: Timestamp,
}

impl OrderView {
    /// The order for a list.
    ///
    /// # Errors
    /// [`StoreError::Row`] when the row does not hold what was written.
    pub(crate) fn new(order_id: String, order: Order, deadlines: &Deadlines) -> Result<Self, StoreError> {
        OrderDetail::new(order_id, order, deadlines).map(|detail| detail.order)
    }
}

impl OrderDetail {
    /// The order with its lines and facts.
    ///
    /// # Errors
    /// As [`OrderView::new`].
    pub(crate) fn new(order_id: String, order: Order, deadlines: &Deadlines) -> Result<Self, StoreError> {
        let (lines, discount, total) = match order.contents()? {
            Some(bought) => (bought.lines, Some(bought.discount), Some(bought.total)),
            None => (Vec::new(), None, None),
        };
        let view = OrderView {
            order_id,
            status: decide::status(&order.facts),
            customer_id: order.customer_id,
            total,
            placed_at: order.placed_at_ms.map(clock::from_ms),
            updated_at: clock::from_ms(order.updated_at_ms),
            waiting_for: decide::waiting_for(&order.facts),
            waits: waits::waits(&order.facts, deadlines).into_iter().map(WaitView::from).collect(),
            cancellation_reason: order.facts.reason,
        };
        let returns = order.facts.all(Kind::ReturnRequested).map(|entry| return_view(&order.facts, entry)).collect();
        let facts = order.facts.log.into_iter().map(FactView::from).collect();
        Ok(Self { order: view, lines, discount, returns, facts })
    }
}

fn return_view(facts: &Facts, requested: &Entry) -> ReturnView {
    let return_id = requested.part.clone().unwrap_or_default();
    let refund = facts.about(Kind::RefundRequested, claims::refund_of_return(&return_id).as_str());
    let line = |units: &Units| StockLine { product_id: units.product_id.clone(), quantity: units.quantity };
    ReturnView {
        status: returns::state(facts, requested),
        lines: requested.units.iter().map(line).collect(),
        requested_at: clock::from_ms(requested.at_ms),
        refund: refund.and_then(|entry| entry.amount_minor).map(Money::from_minor),
        return_id,
    }
}

impl From<Wait> for WaitView {
    fn from(wait: Wait) -> Self {
        let Wait { step, since_ms, due_ms, stuck_ms } = wait;
        Self {
            step: step.to_string(),
            missing: step.missing(),
            ledger: step.ledger(),
            follows: step.follows(),
            owed_by: step.owed_by(),
            since: clock::from_ms(since_ms),
            deadline: clock::from_ms(due_ms),
            stuck_since: stuck_ms.map(clock::from_ms),
        }
    }
}

impl From<Entry> for FactView {
    fn from(entry: Entry) -> Self {
        let Entry { kind, ledger, event_id, at_ms, .. } = entry;
        Self { name: kind.name(), ledger, event_id, at: clock::from_ms(at_ms) }
    }
}
