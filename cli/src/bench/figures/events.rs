//! Figures 2 and 4: events handled per second across all consumers, over ruler S_inbox, and CPU per completed order.
//!
//! A fixed batch of orders, a bounded number of them open at once, from the first request until the OMS says the last has ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use runtime::clock::Stopwatch;
use runtime::{Peer, Story};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::bench::load::{Load, Tally, Until, drive};
use crate::bench::numbers::{Spread, number, ratio};
use crate::bench::procfs;
use crate::bench::rest::{Rest, STUCK_AFTER};
use crate::bench::ruler::Ruler;
use crate::bench::run::Run;
use crate::bench::shop::Shop;
use crate::roster;

/// How often the OMS is asked during a batch: often enough to keep the batch flowing, seldom enough to cost nothing.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// Work that follows an order's end (loyalty points, outbox marks) is let finish and counted as CPU.
const SETTLE: Duration = Duration::from_millis(500);
/// Orders whose deliveries are counted.
const SAMPLE: usize = 30;

/// Events and CPU.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Events {
    /// Orders completed per second.
    pub orders_per_second: Spread,
    /// Events handled for one order, by consumer, counted in the services' own records of a sample of orders.
    pub deliveries_by_consumer: BTreeMap<String, f64>,
    /// The sum of them.
    pub deliveries_per_order: f64,
    /// Events handled per second.
    pub shop_per_second: Spread,
    /// Events the ruler handled per second.
    pub ruler_per_second: Spread,
    /// Shop over ruler, round by round.
    pub ratio: Spread,
    /// CPU of the whole shop per completed order, in milliseconds.
    pub cpu_ms_per_order: Spread,
}

/// Measures ruler and shop in turns.
///
/// # Errors
/// When one of them cannot be reached, or no order completes.
pub async fn measure(run: &mut Run, shop: &Shop, ruler: &Ruler) -> anyhow::Result<Events> {
    let (mut orders, mut ruled, mut cpu, mut kept) = (vec![], vec![], vec![], vec![]);
    for round in 1..=run.settings.rounds {
        run.progress.stage(format!("events, round {round}: ruler"));
        ruled.push(run.rule(ruler, Until::Elapsed(run.settings.round)).await?);
        run.progress.stage(format!("events, round {round}: shop"));
        let batch = batch(run).await?;
        orders.push(ratio(number(batch.completed), batch.elapsed.as_secs_f64()));
        cpu.push(ratio(number(batch.cpu_ms), number(batch.completed)));
        kept.extend(batch.tally.kept);
        run.problems.add(batch.tally.problems);
    }
    run.progress.stage("events: counting deliveries");
    let deliveries_by_consumer = deliveries(shop, &kept).await?;
    let deliveries_per_order = deliveries_by_consumer.values().sum();
    let shop: Vec<f64> = orders.iter().map(|per_second| per_second * deliveries_per_order).collect();
    let ratios = shop.iter().zip(&ruled).map(|(shop, ruler)| ratio(*shop, *ruler)).collect();
    Ok(Events {
        orders_per_second: Spread::of(orders),
        deliveries_by_consumer,
        deliveries_per_order,
        shop_per_second: Spread::of(shop),
        ruler_per_second: Spread::of(ruled),
        ratio: Spread::of(ratios),
        cpu_ms_per_order: Spread::of(cpu),
    })
}

struct Batch {
    tally: Tally,
    completed: u64,
    elapsed: Duration,
    cpu_ms: u64,
}

async fn batch(run: &mut Run) -> anyhow::Result<Batch> {
    let gate = Arc::new(Semaphore::new(run.settings.open));
    let load = Load { gate: Some(Arc::clone(&gate)), ..run.orders(Until::Sent(run.settings.batch)) };
    let before = run.rest.ended().await?;
    let cpu_before = procfs::cpu_ms(run.pid)?;
    let watch = Stopwatch::start();
    let placing = tokio::spawn(drive(load));
    refill(&run.rest, before.all(), &gate, &placing).await?;
    let tally = placing.await??;
    run.rest.placed(tally.answered);
    run.come_to_rest().await?;
    let elapsed = watch.elapsed();
    let completed = run.rest.ended().await?.completed - before.completed;
    tokio::time::sleep(SETTLE).await;
    let cpu_ms = procfs::cpu_ms(run.pid)? - cpu_before;
    if completed == 0 {
        let why = tally.problems.first.as_deref().unwrap_or("all were confirmed; look at GET /orders of the OMS");
        bail!("no order of the batch was completed: {why}");
    }
    Ok(Batch { tally, completed, elapsed, cpu_ms })
}

/// Lets a new order in for each that ended until all are placed, or nothing moves any more.
async fn refill(
    rest: &Rest,
    before: u64,
    gate: &Semaphore,
    placing: &JoinHandle<anyhow::Result<Tally>>,
) -> anyhow::Result<()> {
    let mut let_in = 0;
    let mut moved = Stopwatch::start();
    while !placing.is_finished() {
        let ended = rest.ended().await?.all().saturating_sub(before);
        if ended > let_in {
            gate.add_permits(usize::try_from(ended - let_in).unwrap_or_default());
            (let_in, moved) = (ended, Stopwatch::start());
        }
        if moved.elapsed() > STUCK_AFTER {
            gate.close();
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    Ok(())
}

/// Counts what the consumers handled for some of the orders.
async fn deliveries(shop: &Shop, answers: &[Bytes]) -> anyhow::Result<BTreeMap<String, f64>> {
    let ids: Vec<String> = answers.iter().take(SAMPLE).filter_map(order_id).collect();
    if ids.is_empty() {
        bail!("checkout's answers name no orderId");
    }
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for part in roster::services() {
        let peer: Peer = shop.peer(part.name)?;
        for id in &ids {
            let story: Story = peer
                .get(&format!("/events/{id}"))
                .await
                .with_context(|| format!("cannot ask {} what it handled", part.name))?;
            for handled in story.handled {
                *counts.entry(handled.consumer).or_default() += 1;
            }
        }
    }
    let orders = number(ids.len() as u64);
    Ok(counts.into_iter().map(|(consumer, count)| (consumer, number(count) / orders)).collect())
}

/// The id in checkout's answer.
pub fn order_id(answer: &Bytes) -> Option<String> {
    serde_json::from_slice::<Value>(answer).ok()?.get("orderId")?.as_str().map(str::to_owned)
}
