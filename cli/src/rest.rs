//! Waiting until every order has come to rest.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use audit::has_ended;
use runtime::clock::Stopwatch;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::addresses::Addresses;
use crate::api;
use crate::output;

/// How often the OMS is asked.
const PERIOD: Duration = Duration::from_millis(100);

/// Orders by status, as the OMS counts them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Census(BTreeMap<String, u64>);

impl Census {
    /// Orders that have not ended.
    pub fn open(&self) -> u64 {
        self.0.iter().filter(|(status, _)| !has_ended(status)).map(|(_, count)| count).sum()
    }

    /// Orders that were confirmed once: all but the rejected.
    fn confirmed(&self) -> u64 {
        self.0.iter().filter(|(status, _)| *status != "rejected").map(|(_, count)| count).sum()
    }

    /// Statuses that have orders, with their number.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().filter(|(_, count)| **count > 0).map(|(status, count)| (status.as_str(), *count))
    }
}

/// Refuses every order that is on hold, as the review desk would do with what the fraud engine flagged. Answers how many.
///
/// # Errors
/// When the OMS cannot be asked.
pub async fn refuse_flagged(data: &Path, addresses: &Addresses) -> anyhow::Result<usize> {
    let oms = api::peer(data, addresses, "oms")?;
    let page: Value = oms.get("/orders?status=on_hold&limit=500").await?;
    let ids: Vec<String> =
        page["orders"].as_array().into_iter().flatten().map(|order| output::text(&order["orderId"])).collect();
    for id in &ids {
        let _: Value = oms.post(&format!("/orders/{id}/refuse"), &json!({ "refusedBy": "reviewer" })).await?;
    }
    Ok(ids.len())
}

/// Waits until the OMS knows at least `confirmed` confirmed orders and none is under way any more, or patience runs out.
///
/// # Errors
/// When the OMS cannot be asked.
pub async fn wait(data: &Path, addresses: &Addresses, confirmed: usize, patience: Duration) -> anyhow::Result<Census> {
    let oms = api::peer(data, addresses, "oms")?;
    let watch = Stopwatch::start();
    let bar = output::progress("orders at rest", confirmed);
    loop {
        let census: Census = oms.get("/orders/summary").await?;
        // Orders on hold wait for a person, not for the shop.
        let held = census.0.get("on_hold").copied().unwrap_or(0);
        let (known, open) = (census.confirmed(), census.open() - held);
        bar.set_position(known.saturating_sub(open));
        if (known >= confirmed as u64 && open == 0) || watch.elapsed() >= patience {
            bar.finish_and_clear();
            return Ok(census);
        }
        tokio::time::sleep(PERIOD).await;
    }
}
