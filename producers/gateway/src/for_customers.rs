//! What of an order its customer is told: what they bought and how far it is. How the shop decides, and which service owes what to
//! which, is its own business, and told to staff.

use axum::http::StatusCode;
use events::order::CancellationReason;
use runtime::Problem;
use runtime::peer::Reply;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::admission::Principal;

/// Members of an order that are told, as OMS and checkout name them. What a service adds is not told until it is listed here.
const TOLD: [&str; 13] = [
    "orderId",
    "status",
    "customerId",
    "lines",
    "subtotal",
    "discount",
    "total",
    "placedAt",
    "updatedAt",
    REASON,
    // Sent back, on the order and by itself.
    "returns",
    "returnId",
    // Why checkout refused it: what the customer was answered then.
    "problem",
];
/// Why it was cancelled: told, but for one reason.
const REASON: &str = "cancellationReason";

/// A page of orders.
#[derive(Deserialize, Serialize)]
struct Page {
    orders: Vec<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Value>,
}

/// An order for its customer.
pub(crate) fn order(mut order: Map<String, Value>) -> Map<String, Value> {
    order.retain(|member, _| TOLD.contains(&member.as_str()));
    // Whoever tries out what passes for honest is not told what gave them away.
    if order.get(REASON).is_some_and(|reason| *reason == serde_json::json!(CancellationReason::FraudConfirmed)) {
        order.remove(REASON);
    }
    order
}

/// A service's answer, which is an order or a return, for `principal`: staff is told everything, and a refusal is told to everybody.
///
/// # Errors
/// 502 when it is no such answer.
pub(crate) fn one(principal: &Principal, reply: Reply) -> Result<Reply, Problem> {
    told(principal, reply, |body| serde_json::to_vec(&order(serde_json::from_slice(body)?)))
}

/// The same for a page of orders.
///
/// # Errors
/// As [`one`].
pub(crate) fn page(principal: &Principal, reply: Reply) -> Result<Reply, Problem> {
    told(principal, reply, |body| {
        let Page { orders, next } = serde_json::from_slice(body)?;
        serde_json::to_vec(&Page { orders: orders.into_iter().map(order).collect(), next })
    })
}

fn told(
    principal: &Principal,
    reply: Reply,
    change: impl FnOnce(&[u8]) -> serde_json::Result<Vec<u8>>,
) -> Result<Reply, Problem> {
    if principal.acts_for_any() || !reply.status.is_success() {
        return Ok(reply);
    }
    match change(&reply.body) {
        Ok(body) => Ok(Reply { body: body.into(), ..reply }),
        Err(error) => {
            let detail = format!("a service answered something unexpected: {error}");
            Err(Problem::new(StatusCode::BAD_GATEWAY, "bad_answer", detail))
        }
    }
}
