//! What all figures of one run share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use serde::Serialize;

use super::load::{Bodies, Load, Until, drive};
use super::orders;
use super::problems::Problems;
use super::progress::Progress;
use super::rest::Rest;
use super::ruler::{Ruler, RulerKind, pushes};
use super::shop::Shop;

/// How much to measure.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Turns of ruler and shop.
    pub rounds: u32,
    /// Connections of the load.
    pub connections: usize,
    /// Length of one turn.
    #[serde(rename = "secondsPerRound", serialize_with = "as_seconds")]
    pub round: Duration,
    /// Orders of a batch for figures 2 and 4.
    pub batch: u64,
    /// Of these, open at once.
    pub open: usize,
    /// Orders whose latency is measured one by one.
    pub samples: u64,
    /// Starts of a service.
    pub starts: u32,
    /// Rest before idle memory is read.
    #[serde(rename = "idleSeconds", serialize_with = "as_seconds")]
    pub idle: Duration,
    /// Seed of the orders.
    pub seed: u64,
}

fn as_seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// A run under way.
pub struct Run {
    /// How much to measure.
    pub settings: Settings,
    /// The shop's process.
    pub pid: u32,
    /// Checkout's door.
    pub checkout: SocketAddr,
    /// What opens it.
    pub token: Option<HeaderValue>,
    /// Orders placed and ended.
    pub rest: Rest,
    /// What failed.
    pub problems: Problems,
    /// What the person sees.
    pub progress: Progress,
    orders: Bodies,
    pushes: Bodies,
    next: Arc<AtomicU64>,
}

impl Run {
    /// Begins on a shop that is ready.
    ///
    /// # Errors
    /// When the OMS does not answer.
    pub async fn begin(settings: Settings, shop: &Shop, progress: Progress) -> anyhow::Result<Self> {
        Ok(Self {
            pid: shop.pid(),
            checkout: shop.socket("checkout")?,
            token: shop.token("checkout").await?,
            rest: Rest::begin(shop.peer("oms")?).await?,
            problems: Problems::default(),
            progress,
            orders: orders::bodies(settings.seed),
            pushes: pushes()?,
            next: Arc::default(),
            settings,
        })
    }

    /// A load of orders on checkout.
    #[must_use]
    pub fn orders(&self, until: Until) -> Load {
        let load = self.load(self.checkout, "/orders", Arc::clone(&self.orders), until);
        Load { token: self.token.clone(), ..load }
    }

    /// The next order by itself.
    #[must_use]
    pub fn next_order(&self) -> Bytes {
        (self.orders)(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Measures a ruler once: requests answered per second.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn rule(&mut self, ruler: &Ruler, until: Until) -> anyhow::Result<f64> {
        let bodies = match ruler.kind() {
            RulerKind::Ord => &self.orders,
            RulerKind::Inbox => &self.pushes,
        };
        let load = self.load(ruler.address(), ruler.kind().path(), Arc::clone(bodies), until);
        let tally = drive(load).await?;
        let per_second = tally.per_second();
        self.problems.add(tally.problems);
        Ok(per_second)
    }

    /// Waits until every order placed has ended; notes those that do not.
    ///
    /// # Errors
    /// When the OMS does not answer.
    pub async fn come_to_rest(&mut self) -> anyhow::Result<()> {
        let missing = self.rest.wait().await?;
        if missing > 0 {
            let secs = super::rest::STUCK_AFTER.as_secs();
            self.problems.note(format!(
                "{missing} orders did not end and nothing moved for {secs} s: see GET /orders of the OMS"
            ));
        }
        Ok(())
    }

    fn load(&self, target: SocketAddr, path: &'static str, bodies: Bodies, until: Until) -> Load {
        let connections = self.settings.connections;
        Load { target, token: None, path, connections, until, bodies, next: Arc::clone(&self.next), gate: None }
    }
}
