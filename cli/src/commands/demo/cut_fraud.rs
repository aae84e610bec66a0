//! `boutique demo --cut-fraud`: for a part of the run nothing comes back from the fraud engine, as when a network drops every packet.

use std::time::Duration;

use anyhow::Context;
use comfy_table::Table;
use runtime::Peer;
use runtime::clock::Stopwatch;
use runtime::config::Environment;
use serde::Serialize;
use serde_json::Value;
use testkit::{Relay, Wire};

use crate::api;
use crate::catalogue::Basket;
use crate::commands::import::{self, Answered, Placed};
use crate::invented::Inventor;
use crate::output;
use crate::stack::Plan;

/// Baskets of a hundred that are placed before the cut, and while it lasts.
const BEFORE_PERCENT: usize = 40;
const DURING_PERCENT: usize = 30;
/// How often it is looked whether the orders have come as far as they can.
const PERIOD: Duration = Duration::from_millis(200);
/// How long nobody orders once the way is open again: as long as checkout's breaker stays open between two probes, so that the last part is
/// one in which the engine is found again.
const UNNOTICED: Duration = Duration::from_secs(5);
/// What the usual 99th percentile is multiplied with before the fraud engine's time is added: these machines are noisy.
const NOISE: u32 = 2;

/// One part of the run, as its clients saw it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    name: &'static str,
    confirmed: usize,
    /// Of those, without a score.
    of_unknown_risk: usize,
    p50_ms: u128,
    p99_ms: u128,
}

/// What the cut did and did not do.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cut {
    parts: Vec<Part>,
    /// The 99th percentile that is allowed during the cut: twice that of before, and the fraud engine's time.
    budget_ms: u128,
    /// Orders without a score that had a shipment while the way was cut.
    shipped_unscored: usize,
    /// Orders whose risk was still unknown when all had come to rest; `None` until it is known.
    left_unscored: Option<usize>,
}

/// Everything that is needed to place baskets.
pub(super) struct Stage<'a> {
    pub(super) plan: &'a Plan,
    pub(super) gateway: &'a Peer,
    pub(super) inventor: Inventor,
    pub(super) concurrency: usize,
    pub(super) patience: Duration,
}

/// A relay before the fraud engine, and the plan of a shop that asks it by way of the relay.
///
/// # Errors
/// When there is no free port.
pub(super) async fn relay(plan: &mut Plan) -> anyhow::Result<Relay> {
    let relay = Relay::before(plan.addresses.socket("fraud-engine")?).await.context("no free port for the relay")?;
    plan.fraud_engine_url = Some(format!("http://{}", relay.address()));
    Ok(relay)
}

/// Places the baskets, those in the middle while the way to the fraud engine is cut.
///
/// # Errors
/// When a part of the shop cannot be asked, or an order cannot come as far as it should.
pub(super) async fn place(stage: &Stage<'_>, relay: &Relay, baskets: &[Basket]) -> anyhow::Result<(Placed, Cut)> {
    let (before, rest) = baskets.split_at(baskets.len() * BEFORE_PERCENT / 100);
    let (during, after) = rest.split_at(baskets.len() * DURING_PERCENT / 100);
    let mut all = Placed::default();
    let mut parts = Vec::new();
    parts.push(part("before", stage, before, &mut all).await?);
    relay.set(Wire::Silent);
    let first_of_cut = all.answers.len();
    parts.push(part("during", stage, during, &mut all).await?);
    let unscored: Vec<&Answered> = all.answers[first_of_cut..].iter().filter(|answer| answer.is_unscored()).collect();
    let shipped_unscored = shipped(stage.plan, &unscored, stage.patience).await?;
    relay.set(Wire::Whole);
    tokio::time::sleep(UNNOTICED).await;
    parts.push(part("after", stage, after, &mut all).await?);
    let checkout = checkout::Config::from_environment(&Environment::of_process())?;
    let budget_ms = budget_ms(&parts, checkout.fraud_timeout_ms);
    Ok((all, Cut { parts, budget_ms, shipped_unscored, left_unscored: None }))
}

/// Measured by what was before the cut alone: after it there are orders that pay for finding the engine again.
fn budget_ms(parts: &[Part], fraud_timeout_ms: u64) -> u128 {
    let usual_ms = parts.first().map_or(0, |before| before.p99_ms);
    usual_ms * u128::from(NOISE) + u128::from(fraud_timeout_ms)
}

async fn part(name: &'static str, stage: &Stage<'_>, baskets: &[Basket], all: &mut Placed) -> anyhow::Result<Part> {
    let Stage { plan, gateway, inventor, concurrency, .. } = stage;
    let placed = import::place(gateway, *inventor, baskets, *concurrency, &plan.data).await?;
    let mut times: Vec<Duration> = placed.answers.iter().map(|answer| answer.took).collect();
    times.sort_unstable();
    let quantile =
        |percent: usize| times.get(times.len().saturating_sub(1) * percent / 100).map_or(0, Duration::as_millis);
    let part = Part {
        name,
        confirmed: placed.confirmed,
        of_unknown_risk: placed.answers.iter().filter(|answer| answer.is_unscored()).count(),
        p50_ms: quantile(50),
        p99_ms: quantile(99),
    };
    all.add(placed);
    Ok(part)
}

/// Waits until every unscored order has come as far as it can without a score, and counts those that have a shipment nevertheless.
async fn shipped(plan: &Plan, unscored: &[&Answered], patience: Duration) -> anyhow::Result<usize> {
    let peer = |name| api::peer(&plan.data, &plan.addresses, name);
    let (oms, warehouse) = (peer("oms")?, peer("warehouse")?);
    let bar = output::progress("orders that wait", unscored.len());
    let watch = Stopwatch::start();
    let mut shipped = 0;
    for Answered { order_id, .. } in unscored {
        // An order that OMS does not know yet is not there yet; in the end the audit misses none.
        while !is_at_its_wait(&oms, order_id).await && watch.elapsed() < patience {
            tokio::time::sleep(PERIOD).await;
        }
        let found: Value = warehouse.get(&format!("/shipments?orderId={order_id}")).await?;
        shipped += usize::from(found["shipments"].as_array().is_none_or(|shipments| !shipments.is_empty()));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(shipped)
}

/// Whether an order waits for nothing but its risk, or has ended for another reason.
async fn is_at_its_wait(oms: &Peer, order_id: &str) -> bool {
    let Ok(order) = oms.get::<Value>(&format!("/orders/{order_id}")).await else { return false };
    order["waitingFor"] == serde_json::json!(["risk"]) || audit::has_ended(&output::text(&order["status"]))
}

impl Cut {
    /// Counts what is still unscored, now that all have come to rest.
    ///
    /// # Errors
    /// When the fraud bridge cannot be asked.
    pub(super) async fn settle(&mut self, plan: &Plan) -> anyhow::Result<()> {
        let bridge = api::peer(&plan.data, &plan.addresses, "fraud-bridge")?;
        let pending: Value = bridge.get("/scorings?status=pending&limit=500").await?;
        self.left_unscored = pending["scorings"].as_array().map(Vec::len);
        Ok(())
    }

    /// Whether the cut did no harm: every order confirmed meanwhile is unscored, in time, and did not ship; checkout has found the engine
    /// again; and all are scored now.
    pub(super) fn holds(&self) -> bool {
        let [before, during, after] = &self.parts[..] else { return false };
        before.of_unknown_risk < before.confirmed
            && after.of_unknown_risk < after.confirmed
            && during.confirmed > 0
            && during.of_unknown_risk == during.confirmed
            && during.p99_ms <= self.budget_ms
            && self.shipped_unscored == 0
            && self.left_unscored == Some(0)
    }

    /// For people.
    pub(super) fn render(&self) -> Table {
        let mut table = output::table(&["fraud engine cut off", "confirmed", "risk unknown", "p50", "p99"]);
        for Part { name, confirmed, of_unknown_risk, p50_ms, p99_ms } in &self.parts {
            let (p50, p99) = (format!("{p50_ms} ms"), format!("{p99_ms} ms"));
            table.add_row([(*name).to_owned(), confirmed.to_string(), of_unknown_risk.to_string(), p50, p99]);
        }
        table
    }

    /// One sentence, for people.
    pub(super) fn verdict(&self) -> String {
        let left = self.left_unscored.map_or("an unknown number".to_owned(), |count| count.to_string());
        format!(
            "p99 during the cut may be {} ms; {} orders shipped unscored; {left} left unscored: {}",
            self.budget_ms,
            self.shipped_unscored,
            if self.holds() { "the cut did no harm" } else { "THE CUT DID HARM" },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn harmless() -> Cut {
        let part = |name, of_unknown_risk, p99_ms| Part { name, confirmed: 10, of_unknown_risk, p50_ms: 5, p99_ms };
        let parts = vec![part("before", 0, 20), part("during", 10, 320), part("after", 1, 30)];
        Cut { parts, budget_ms: 360, shipped_unscored: 0, left_unscored: Some(0) }
    }

    #[test]
    fn what_comes_after_the_cut_is_no_measure_of_what_was_usual() {
        let mut parts = harmless().parts;
        parts[2].p99_ms = 60_000;
        assert_eq!(budget_ms(&parts, 300), 2 * 20 + 300);
    }

    #[test]
    fn every_harm_is_noticed() {
        assert!(harmless().holds());
        let harms: [fn(&mut Cut); 8] = [
            |cut| cut.parts[2].of_unknown_risk = 10,
            |cut| cut.parts[0].of_unknown_risk = 10,
            |cut| cut.parts[1].of_unknown_risk = 9,
            |cut| cut.parts[1] = Part { confirmed: 0, of_unknown_risk: 0, ..cut.parts[1].clone() },
            |cut| cut.parts[1].p99_ms = 361,
            |cut| cut.shipped_unscored = 1,
            |cut| cut.left_unscored = Some(1),
            |cut| cut.left_unscored = None,
        ];
        for harm in harms {
            let mut cut = harmless();
            harm(&mut cut);
            assert!(!cut.holds(), "{cut:?}");
        }
    }
}
