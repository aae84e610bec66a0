//! Orders as the REST doors show them.

use events::order::CancellationReason;
use events::{CustomerId, EventId, Ledger, Money, OrderLine, Timestamp};
use runtime::clock;
use serde::Serialize;
use store::StoreError;

use crate::decide::{self, Status};
use crate::facts::Entry;
use crate::order::Order;

/// An order in a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderView {
    order_id: String,
    status: Status,
    customer_id: Option<CustomerId>,
    total: Option<Money>,
    placed_at: Option<Timestamp>,
    updated_at: Timestamp,
    waiting_for: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancellation_reason: Option<CancellationReason>,
}

/// An order on its own.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderDetail {
    #[serde(flatten)]
    order: OrderView,
    lines: Vec<OrderLine>,
    discount: Option<Money>,
    facts: Vec<FactView>,
}

#[derive(Debug, Serialize)]
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
    pub(crate) fn new(order_id: String, order: Order) -> Result<Self, StoreError> {
        OrderDetail::new(order_id, order).map(|detail| detail.order)
    }
}

impl OrderDetail {
    /// The order with its lines and facts.
    ///
    /// # Errors
    /// As [`OrderView::new`].
    pub(crate) fn new(order_id: String, order: Order) -> Result<Self, StoreError> {
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
            cancellation_reason: order.facts.reason,
        };
        let facts = order.facts.log.into_iter().map(FactView::from).collect();
        Ok(Self { order: view, lines, discount, facts })
    }
}

impl From<Entry> for FactView {
    fn from(entry: Entry) -> Self {
        let Entry { kind, ledger, event_id, at_ms, .. } = entry;
        Self { name: kind.name(), ledger, event_id, at: clock::from_ms(at_ms) }
    }
}
