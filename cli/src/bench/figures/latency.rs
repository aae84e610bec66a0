//! Figure 3: how long an idle shop with no shipping delays takes from the 201 to the completed order.
//!
//! Measured from outside, as a client sees it: from the arrival of the 201 until the OMS answers `completed`, asked every millisecond on a
//! kept connection. It is at most one question too long. The event's own time (when the OMS began the transaction that completed the
//! order) less the time of the 201 is reported beside it; it is the shorter one, for it leaves out that transaction's commit.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Method, StatusCode, Uri};
use runtime::Story;
use runtime::clock::{self, Stopwatch};
use serde::Serialize;
use serde_json::Value;

use super::events::order_id;
use crate::bench::http::Connection;
use crate::bench::load::{on_own_thread, quote};
use crate::bench::run::Run;
use crate::bench::shop::Shop;
use crate::bench::times::Times;

/// Orders before the measured ones: they warm connections and caches.
const WARM_UP: u64 = 20;
/// No order completes sooner, so nobody asks sooner.
const FIRST_ASK: Duration = Duration::from_millis(4);
/// How often the OMS is asked from then on.
const ASK_EVERY: Duration = Duration::from_millis(1);
/// Between two orders, so that what follows an order's end does not disturb the next.
const PAUSE: Duration = Duration::from_millis(20);
/// After so long no further order is placed: with the orders measured by then a slow shop is known for slow.
const ENOUGH: Duration = Duration::from_secs(60);
/// An order that takes longer is a problem, not a latency.
const GIVE_UP_AFTER: Duration = Duration::from_secs(10);
/// Wire type of the event that ends the story.
const COMPLETED: &str = "com.onlineboutique.order.completed.v1";

/// Idle latency.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Orders measured.
    pub orders: u64,
    /// Median, in milliseconds.
    pub p50_ms: f64,
    /// 99th percentile, in milliseconds.
    pub p99_ms: f64,
    /// The longest, in milliseconds.
    pub longest_ms: f64,
    /// Median by the event's own time, in milliseconds.
    pub event_p50_ms: f64,
    /// 99th percentile by the event's own time, in milliseconds.
    pub event_p99_ms: f64,
}

/// An order that completed.
struct Sample {
    order_id: String,
    confirmed_at_ms: i64,
    took: Duration,
}

/// Places orders one after the other and watches each to its end.
///
/// # Errors
/// When checkout refuses, or an order ends otherwise than completed.
pub async fn measure(run: &mut Run, shop: &Shop) -> anyhow::Result<Latency> {
    run.progress.stage("latency: one order after the other");
    let (checkout, oms) = ((run.checkout, run.token.clone()), (shop.socket("oms")?, shop.token("oms").await?));
    let count = WARM_UP + run.settings.samples;
    let bodies: Vec<Bytes> = (0..count).map(|_| run.next_order()).collect();
    let samples = on_own_thread(move || async move {
        let (mut checkout, mut oms) =
            (Connection::open(checkout.0, checkout.1).await?, Connection::open(oms.0, oms.1).await?);
        let mut samples = Vec::with_capacity(bodies.len());
        let watch = Stopwatch::start();
        for body in bodies {
            if watch.elapsed() > ENOUGH {
                break;
            }
            samples.push(follow(&mut checkout, &mut oms, body).await?);
            std::thread::sleep(PAUSE);
        }
        Ok(samples)
    })
    .await?;
    run.rest.placed(samples.len() as u64);
    run.come_to_rest().await?;
    let samples = samples.get(usize::try_from(WARM_UP)?..).filter(|samples| !samples.is_empty());
    let samples = samples.with_context(|| {
        let secs = ENOUGH.as_secs();
        format!("fewer than {WARM_UP} orders completed one by one within {secs} s: start the shop with --dispatch-delay-ms 0 --deliver-delay-ms 0")
    })?;
    let (mut seen, mut said) = (Times::new()?, Times::new()?);
    let oms = shop.peer("oms")?;
    for sample in samples {
        seen.record(sample.took);
        let story: Story = oms.get(&format!("/events/{}", sample.order_id)).await?;
        let end = story
            .said
            .iter()
            .find(|said| said.event_type == COMPLETED)
            .context("a completed order has no such event")?;
        // The event can be said in the millisecond in which the 201 arrives, or before.
        said.record(Duration::from_millis(u64::try_from(end.at_ms - sample.confirmed_at_ms).unwrap_or_default()));
    }
    Ok(Latency {
        orders: seen.len(),
        p50_ms: seen.ms(0.5),
        p99_ms: seen.ms(0.99),
        longest_ms: seen.ms(1.0),
        event_p50_ms: said.ms(0.5),
        event_p99_ms: said.ms(0.99),
    })
}

async fn follow(checkout: &mut Connection, oms: &mut Connection, body: Bytes) -> anyhow::Result<Sample> {
    let (status, answer) = checkout.send(Method::POST, Uri::from_static("/orders"), body).await?;
    let watch = Stopwatch::start();
    let confirmed_at_ms = clock::now_ms();
    if status != StatusCode::CREATED {
        bail!("POST /orders answered {status}: {}", quote(&answer));
    }
    let order_id = order_id(&answer).context("checkout's answer names no orderId")?;
    let path: Uri = format!("/orders/{order_id}").parse()?;
    // A thread's sleep is exact to some tens of microseconds, the async timer to a millisecond; nothing else runs here.
    std::thread::sleep(FIRST_ASK);
    while watch.elapsed() < GIVE_UP_AFTER {
        let (status, answer) = oms.send(Method::GET, path.clone(), Bytes::new()).await?;
        let took = watch.elapsed();
        match status {
            StatusCode::OK => match serde_json::from_slice::<Value>(&answer)?["status"].as_str() {
                Some("completed") => return Ok(Sample { order_id, confirmed_at_ms, took }),
                Some(end @ ("cancelled" | "rejected" | "on_hold")) => bail!("order {order_id} is {end}, not completed"),
                _ => {}
            },
            // The OMS has not heard of it yet.
            StatusCode::NOT_FOUND => {}
            other => bail!("GET {path} of the OMS answered {other}: {}", quote(&answer)),
        }
        std::thread::sleep(ASK_EVERY);
    }
    bail!(
        "order {order_id} was not completed within {} s: see `boutique order show {order_id}`",
        GIVE_UP_AFTER.as_secs()
    )
}
