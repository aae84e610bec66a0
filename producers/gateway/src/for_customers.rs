//! What of an order its customer is told: what they bought and how far it is. How the shop decides, and which service owes what to which, is
//! its own business, and told to staff.

use axum::http::StatusCode;
use events::order::CancellationReason;
use runtime::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Members of an order, as OMS has it, that are the shop's own business.
const OURS: [&str; 3] = ["facts", "waitingFor", "waits"];
/// Why it was cancelled: told, but for one reason.
const REASON: &str = "cancellationReason";

/// A page of orders, with whatever else is on it.
#[derive(Deserialize, Serialize)]
struct Page {
    orders: Vec<Map<String, Value>>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// An order for its customer.
pub(crate) fn order(mut order: Map<String, Value>) -> Map<String, Value> {
    order.retain(|member, _| !OURS.contains(&member.as_str()));
    // Whoever tries out what passes for honest is not told what gave them away.
    if order.get(REASON).is_some_and(|reason| *reason == serde_json::json!(CancellationReason::FraudConfirmed)) {
        order.remove(REASON);
    }
    order
}

/// A page of orders for their customer.
///
/// # Errors
/// 502 when it is none.
pub(crate) fn page(body: &[u8]) -> Result<Vec<u8>, Problem> {
    let page = serde_json::from_slice::<Page>(body).and_then(|Page { orders, rest }| {
        serde_json::to_vec(&Page { orders: orders.into_iter().map(order).collect(), rest })
    });
    page.map_err(|error| {
        let detail = format!("oms answered something unexpected: {error}");
        Problem::new(StatusCode::BAD_GATEWAY, "bad_answer", detail)
    })
}
