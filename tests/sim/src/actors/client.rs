//! A client: wants an order, tries again when nothing comes back, and may change their mind.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::ask;
use crate::memory::Memory;
use crate::scenario::Client;
use crate::time::wait;
use crate::world::World;

/// Requests of one client about one thing, at most.
const TRIES: u32 = 40;
/// Between two tries, in milliseconds.
const PAUSE_MS: (u64, u64) = (200, 4_000);

/// Lives one client's life.
pub(super) async fn live(world: Arc<World>, memory: Arc<Memory>, number: usize, client: Client) {
    wait(client.at_ms).await;
    world.count(|tally| tally.wanted += 1);
    let lines: Vec<Value> =
        client.lines.iter().map(|(product, units)| json!({ "productId": product, "quantity": units })).collect();
    let mut order = json!({ "customerId": client.customer, "lines": lines });
    if client.customer == "abroad" {
        order["shippingCountry"] = "DE".into();
    }
    let buyer = Buyer { world, memory, number, order, has_key: client.has_key };
    let order_id = if client.is_hasty && client.has_key {
        let (one, other) = futures::future::join(buyer.buy(), buyer.buy()).await;
        one.or(other)
    } else {
        buyer.buy().await
    };
    if let (Some(order_id), Some(after_ms)) = (&order_id, client.cancels_after_ms) {
        wait(after_ms).await;
        buyer.cancel(order_id).await;
    }
    if let (Some(order_id), Some(all)) = (order_id, client.sends_back) {
        buyer.send_back(&order_id, all).await;
    }
}

struct Buyer {
    world: Arc<World>,
    memory: Arc<Memory>,
    number: usize,
    order: Value,
    has_key: bool,
}

impl Buyer {
    /// Places the order; its id when it was confirmed. Without a key a second try would be a second order.
    async fn buy(&self) -> Option<String> {
        let key = format!("client-{}", self.number);
        let key = self.has_key.then_some(key.as_str());
        for _ in 0..if self.has_key { TRIES } else { 1 } {
            let answer = ask(&self.world, "client", Method::POST, "http://checkout/orders", key, &self.order).await;
            match answer {
                Some((StatusCode::CREATED, body)) => {
                    let order_id = body["orderId"].as_str().unwrap_or_default().to_owned();
                    self.memory.confirmed(&order_id);
                    self.final_answer(&order_id);
                    return Some(order_id);
                }
                Some((status, body)) if status.is_client_error() => {
                    // 422 is no order at all and may be asked again; a rejection is kept under its key.
                    if matches!(status, StatusCode::CONFLICT | StatusCode::FORBIDDEN) {
                        self.final_answer(body["code"].as_str().unwrap_or_default());
                    }
                    return None;
                }
                _ => self.pause().await,
            }
        }
        None
    }

    fn final_answer(&self, answer: &str) {
        if self.has_key {
            self.memory.answered(self.number, answer.to_owned());
        }
    }

    /// Asks OMS to cancel, until it says yes or no. It may not have heard of the order yet.
    async fn cancel(&self, order_id: &str) {
        let url = format!("http://oms/orders/{order_id}/cancel");
        for _ in 0..TRIES {
            match ask(&self.world, "client", Method::POST, &url, None, &Value::Null).await {
                Some((StatusCode::OK, body)) => {
                    if body["status"] == "cancelled" {
                        self.memory.cancelled(order_id);
                    }
                    return;
                }
                Some((StatusCode::CONFLICT, _)) => return,
                _ => self.pause().await,
            }
        }
    }

    /// Waits for the goods and sends them back, all of them or one of each, should the order end with any.
    async fn send_back(&self, order_id: &str, all: bool) {
        let lines: Vec<Value> = self.order["lines"].as_array().into_iter().flatten().cloned().collect();
        let lines = lines.into_iter().map(|mut line| {
            if !all {
                line["quantity"] = 1.into();
            }
            line
        });
        let wanted = json!({ "lines": lines.collect::<Vec<_>>(), "reason": "changed_mind" });
        if !self.has_goods(order_id).await {
            return;
        }
        let (url, key) = (format!("http://oms/orders/{order_id}/returns"), format!("return-{}", self.number));
        for _ in 0..TRIES {
            match ask(&self.world, "client", Method::POST, &url, Some(&key), &wanted).await {
                Some((StatusCode::CREATED | StatusCode::OK, body)) => {
                    self.memory.granted(order_id, body["returnId"].as_str().unwrap_or_default());
                    return;
                }
                // Of a shipment that was given up there is nothing to send back.
                Some((StatusCode::CONFLICT, _)) => return,
                _ => self.pause().await,
            }
        }
    }

    /// Looks at the order until it has ended; whether with goods delivered.
    async fn has_goods(&self, order_id: &str) -> bool {
        let url = format!("http://oms/orders/{order_id}");
        for _ in 0..TRIES {
            let look = ask(&self.world, "client", Method::GET, &url, None, &Value::Null).await;
            match look.as_ref().and_then(|(_, body)| body["status"].as_str()) {
                Some("completed") => return true,
                Some("cancelled" | "rejected") => return false,
                _ => self.pause().await,
            }
        }
        false
    }

    async fn pause(&self) {
        let pause_ms = self.world.between(PAUSE_MS.0, PAUSE_MS.1);
        wait(pause_ms).await;
    }
}
