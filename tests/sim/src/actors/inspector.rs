//! A person at the warehouse's gate: inspects what comes back.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::ask;
use crate::time::wait;
use crate::world::World;

/// Between two rounds, in milliseconds.
const EVERY_MS: u64 = 15_000;
/// Returns, of a thousand, about which nothing is written down: everything may be sold again.
const PLAIN: u32 = 400;
/// What may be found of a unit.
const FINDINGS: [&str; 4] = ["restocked", "scrapped", "damaged", "missing"];

/// Inspects for as long as the run lasts.
pub(super) async fn inspect(world: Arc<World>) {
    // What was found once is found again, should the answer have been lost.
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    loop {
        wait(EVERY_MS).await;
        let list = ask(&world, "inspector", Method::GET, "http://oms/orders?limit=100", None, &Value::Null).await;
        let Some((_, page)) = list else { continue };
        let orders: Vec<&str> =
            page["orders"].as_array().into_iter().flatten().filter_map(|order| order["orderId"].as_str()).collect();
        for order_id in orders {
            let url = format!("http://warehouse/returns?orderId={order_id}");
            let list = ask(&world, "inspector", Method::GET, &url, None, &Value::Null).await;
            let Some((StatusCode::OK, page)) = list else { continue };
            for goods in page["returns"].as_array().into_iter().flatten() {
                if goods["status"] == "expected" {
                    let id = goods["returnId"].as_str().unwrap_or_default();
                    let body = found.entry(id.to_owned()).or_insert_with(|| findings(&world, &goods["expected"]));
                    let url = format!("http://warehouse/returns/{id}/received");
                    // What was not heard is said again at the next round.
                    if let Some((StatusCode::OK, _)) = ask(&world, "inspector", Method::POST, &url, None, body).await {
                        world.count(|tally| tally.inspected += 1);
                    }
                }
            }
        }
    }
}

/// Draws what has become of each unit.
fn findings(world: &World, expected: &Value) -> Value {
    if world.happens(|_| PLAIN) {
        return Value::Null;
    }
    let lines = expected.as_array().into_iter().flatten().map(|line| {
        let mut finding = json!({ "productId": line["productId"] });
        for _ in 0..line["quantity"].as_u64().unwrap_or_default() {
            let what = FINDINGS[usize::try_from(world.between(0, 3)).unwrap_or_default()];
            finding[what] = (finding[what].as_u64().unwrap_or_default() + 1).into();
        }
        finding
    });
    json!({ "lines": lines.collect::<Vec<_>>() })
}
