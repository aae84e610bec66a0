//! A carrier whose drivers sometimes find nobody at home: some deliveries fail, and the warehouse is told so.

use std::sync::Arc;

use events::id::derived;
use http::Method;
use serde_json::{Value, json};

use super::ask;
use crate::time::wait;
use crate::world::World;

/// Between two rounds, in milliseconds: less than a delivery takes by itself.
const EVERY_MS: u64 = 700;

/// Drives until the weather clears; of a thousand shipments under way, `fails` are not delivered each round.
pub(super) async fn drive(world: Arc<World>, fails: u32, until_ms: u64) {
    while world.clock.since_start_ms() < until_ms {
        wait(EVERY_MS).await;
        let list =
            ask(&world, "carrier", Method::GET, "http://warehouse/shipments?limit=100", None, &Value::Null).await;
        let Some((_, page)) = list else { continue };
        let all = page["shipments"].as_array().into_iter().flatten();
        for shipment in all.filter(|shipment| shipment["status"] == "dispatched") {
            if world.happens(|_| fails) {
                report_failure(&world, shipment).await;
            }
        }
    }
}

/// Heard or not, it is not said again: then the parcel is found to be delivered after all.
async fn report_failure(world: &Arc<World>, shipment: &Value) {
    let (Some(id), Some(number)) = (shipment["shipmentId"].as_str(), shipment["trackingNumber"].as_str()) else {
        return;
    };
    let report = json!({
        "status": "failed",
        "at": runtime::clock::now(),
        "reference": derived("carrier", number),
        "trackingNumber": number,
    });
    let url = format!("http://warehouse/shipments/{id}/tracking");
    if ask(world, "carrier", Method::POST, &url, None, &report).await.is_some_and(|(status, _)| status.is_success()) {
        world.count(|tally| tally.undelivered += 1);
    }
}
