//! A person at the review desk: decides about orders on hold.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::ask;
use crate::time::wait;
use crate::world::World;

/// Between two looks, in milliseconds.
const EVERY_MS: u64 = 7_000;
/// Orders released, of a thousand.
const RELEASED: u32 = 500;

/// Reviews for as long as the run lasts.
pub(super) async fn review(world: Arc<World>) {
    loop {
        wait(EVERY_MS).await;
        let list = ask(&world, "reviewer", Method::GET, "http://oms/orders?status=on_hold", None, &Value::Null).await;
        let Some((_, page)) = list else { continue };
        for order in page["orders"].as_array().into_iter().flatten() {
            let order_id = order["orderId"].as_str().unwrap_or_default();
            let (word, body) = if world.happens(|_| RELEASED) {
                ("release", json!({ "releasedBy": "reviewer" }))
            } else {
                ("refuse", json!({ "refusedBy": "reviewer" }))
            };
            let url = format!("http://oms/orders/{order_id}/{word}");
            // What was not heard is asked again at the next look: the order is still on hold then.
            if let Some((StatusCode::OK, _)) = ask(&world, "reviewer", Method::POST, &url, None, &body).await {
                world.count(|tally| tally.reviewed += 1);
            }
        }
    }
}
