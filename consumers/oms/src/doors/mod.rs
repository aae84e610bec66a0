//! The REST doors: looking at orders, cancelling them, sending goods back, and a person's word about orders on hold.

mod cancel;
mod look;
mod returns;
mod review;

use axum::http::HeaderMap;
use events::OrderId;
use runtime::Caller::{Gateway, Operator};
use runtime::openapi::Operation;
use runtime::{Cause, Door, Identity, Peer, Problem, Transactor, trace_context};
use schemars::JsonSchema;
use serde::Serialize;
use store::StoreError;

use crate::config::Config;
use crate::deadlines::Deadlines;
use crate::decide::{self, Status};
use crate::order::Order;
use crate::rows;

/// What the doors stand on.
#[derive(Clone)]
pub(crate) struct Doors {
    transactor: Transactor,
    warehouse: Peer,
    deadlines: Deadlines,
    /// How long after its delivery a unit may be sent back, in milliseconds.
    return_window_ms: i64,
    /// What a unit the customer damaged counts, in percent.
    damaged_refund_percent: u32,
}

/// The REST doors; the warehouse is called as `identity`.
pub fn doors(transactor: Transactor, config: &Config, identity: &Identity) -> runtime::Doors {
    const CLIENTS: &[runtime::Caller] = &[Gateway, Operator];
    const CANCEL: Door = Door::of("Cancels an order")
        .to(CLIENTS)
        .described(|it| it.refuses(409, "it was dispatched, delivered or rejected: offer a return"));
    const RETURN: Door = Door::of("Asks to send goods back").to(CLIENTS).described(|it| {
        it.details("It needs an Idempotency-Key or, for the same purpose, a `returnId`.")
            .idempotency_key("^[!-~]([ -~]{0,198}[!-~])?$")
            .gives::<returns::Asked>(200, "it was asked for before")
            .refuses(409, "not bought, not delivered, sent back before, too late, or too many")
    });
    let warehouse = identity.peer("warehouse", &config.warehouse_url, config.peer_timeout);
    runtime::Doors::new()
        .get("/orders", look::list, Door::of("Lists orders, page by page").to(CLIENTS))
        .get("/orders/stuck", look::stuck, Door::of("Orders that wait too long, and for what").to(&[Operator]))
        .get("/orders/summary", look::summary, Door::of("Orders by status").to(&[Operator]))
        .get("/orders/{orderId}", look::one, Door::of("One order").to(CLIENTS))
        .post("/orders/{orderId}/cancel", cancel::cancel, CANCEL)
        .post(
            "/orders/{orderId}/release",
            review::release,
            Door::of("Lets an order on hold go on").to(&[Operator]).described(judged),
        )
        .post(
            "/orders/{orderId}/refuse",
            review::refuse,
            Door::of("Cancels an order on hold").to(&[Operator]).described(judged),
        )
        .post("/orders/{orderId}/returns", returns::ask, RETURN)
        .with_state(Doors {
            transactor,
            warehouse,
            deadlines: config.deadlines,
            return_window_ms: i64::try_from(config.return_window.as_millis()).unwrap_or(i64::MAX),
            damaged_refund_percent: config.damaged_refund_percent,
        })
}

fn judged(operation: Operation) -> Operation {
    operation.refuses(409, "the order is not on hold")
}

/// Where an order stands after a request.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Standing {
    order_id: OrderId,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancellation_reason: Option<events::order::CancellationReason>,
}

impl Standing {
    fn of(order_id: OrderId, order: &Order) -> Self {
        Self { order_id, status: decide::status(&order.facts), cancellation_reason: order.cancellation_reason() }
    }
}

/// The id in a path. A text that is no id names no order.
fn order_id(text: &str) -> Result<OrderId, Problem> {
    text.parse().map_err(|_| Problem::not_found("order"))
}

impl Doors {
    /// What the facts of a request answer to: the story the order began.
    async fn cause(&self, order_id: &OrderId, headers: &HeaderMap) -> Result<Cause, Problem> {
        let id = order_id.clone();
        let order = self.transactor.store().read(move |tx| rows::find(tx, &id)).await?;
        let order = order.ok_or_else(|| Problem::not_found("order"))?;
        Ok(Cause::Request {
            correlation_id: order.facts.first_event().cloned(),
            traceparent: trace_context::given(headers),
        })
    }
}

/// The order, locked against what comes at the same time.
///
/// # Errors
/// 404, or of the database.
fn locked(tx: &mut store::Tx<'_>, order_id: &OrderId) -> Result<Order, Problem> {
    tx.lock(order_id.as_str())?;
    let order: Result<_, StoreError> = rows::find(tx, order_id);
    order?.ok_or_else(|| Problem::not_found("order"))
}
