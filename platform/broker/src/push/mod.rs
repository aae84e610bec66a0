//! Delivers one push subscription: one task that keeps its window full.

mod answer;
mod client;
mod request;
mod target;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use delivery::{AckId, NEVER, PUSH, Pace, Take};
use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use http::HeaderValue;

use self::client::HttpClient;
use self::request::{Requests, Said};
pub(crate) use self::target::Target;
use crate::core::Core;
use crate::identity::{Claimant, Key};
use crate::limits;
use crate::subscription::{Delivery, Subscription};
use crate::sync::stopped;

/// How one push ended.
struct Pushed {
    ack_id: AckId,
    attempt: u16,
    acked: bool,
}

/// Pushes until the broker stops; then waits for what is in flight.
pub(crate) async fn run(core: Arc<Core>, subscription: Arc<Subscription>, target: Target) {
    let mut stopping = core.stopping.subscribe();
    let mut pusher = tokio::select! {
        pusher = prepare(&core, &subscription, target) => pusher,
        () = stopped(&mut stopping) => return,
    };
    let mut in_flight = FuturesUnordered::new();
    loop {
        let mut woken = pin!(subscription.wake.notified());
        woken.as_mut().enable();
        let now_ms = core.clock.steady_ms();
        let mut wake_ms = pusher.pace.paused_until(now_ms);
        let room = pusher.pace.room(in_flight.len(), now_ms);
        if room > 0 {
            let (deliveries, next_due) = pusher.take(room, now_ms);
            wake_ms = next_due;
            in_flight.extend(deliveries.into_iter().filter_map(|delivery| pusher.push(&delivery)));
        }
        let timer = async {
            match wake_ms {
                Some(at_ms) => tokio::time::sleep_until(core.clock.timer_at(at_ms)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(pushed) = in_flight.next() => {
                let before = in_flight.len() + 1;
                let mut done = vec![pushed];
                // Whatever ended meanwhile is settled with it: one lock, one write.
                while let Some(Some(pushed)) = in_flight.next().now_or_never() {
                    done.push(pushed);
                }
                pusher.settle(&done, before);
            }
            () = woken, if room > 0 => {}
            () = timer => {}
            () = stopped(&mut stopping) => break,
        }
    }
    while let Some(pushed) = in_flight.next().await {
        pusher.settle(&[pushed], in_flight.len() + 1);
    }
}

/// What a pusher needs before its first push: the key that signs its tokens, the roots it trusts. Until it has them no
/// message is taken, so that no attempt is counted.
async fn prepare(core: &Arc<Core>, subscription: &Arc<Subscription>, target: Target) -> Pusher {
    let mut failures = 0;
    let (client, key) = loop {
        match ready(core, &target).await {
            Ok(ready) => break ready,
            Err(error) => tracing::warn!(%error, subscription = %subscription.name, "pushes cannot begin yet"),
        }
        failures += 1;
        let wait_ms = core.push_backoff().after(failures);
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    };
    let max = core.settings.push_window_max();
    Pusher {
        requests: Requests::new(target.uri, target.form, &subscription.name),
        signed: key.zip(target.claimant),
        client,
        timeout: Duration::from_millis(subscription.terms().ack_deadline_ms),
        pace: Pace::new(max, core.settings.fast, core.push_backoff()),
        core: Arc::clone(core),
        subscription: Arc::clone(subscription),
    }
}

async fn ready(core: &Core, target: &Target) -> io::Result<(HttpClient, Option<Arc<Key>>)> {
    let window = core.settings.push_window_max();
    let client = match target.uri.scheme_str() {
        Some("https") => HttpClient::tls(window, &core.tls).await?,
        _ => HttpClient::plain(window),
    };
    let key = match target.claimant {
        Some(_) => Some(core.identity.key().await?),
        None => None,
    };
    Ok((client, key))
}

struct Pusher {
    core: Arc<Core>,
    subscription: Arc<Subscription>,
    client: HttpClient,
    requests: Requests,
    /// Who signs tokens and whom they name, if pushes carry any.
    signed: Option<(Arc<Key>, Arc<Claimant>)>,
    timeout: Duration,
    pace: Pace,
}

impl Pusher {
    /// Takes up to `room` messages, and says when time alone makes more ready.
    fn take(&self, room: usize, now_ms: u64) -> (Vec<Delivery>, Option<u64>) {
        let take = Take { messages: room, bytes: usize::MAX, per_key: 1, now_ms, until_ms: NEVER, owner: PUSH };
        let turn = self.subscription.take(take);
        self.core.forward(&self.subscription, turn.missed);
        (turn.deliveries, turn.next_due)
    }

    /// The request that delivers a message, to be awaited. The ack deadline is its timeout.
    fn push(&self, delivery: &Delivery) -> Option<impl Future<Output = Pushed> + use<>> {
        let Delivery { message, attempt, ack_id } = delivery;
        let (attempt, ack_id) = (*attempt, *ack_id);
        let payload = match self.core.payload(message) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::error!(%error, message.id = message.id, "a message cannot be read; it is tried again");
                let wait_ms = limits::PUSH_BACKOFF_MAX_MS;
                self.core.forward(&self.subscription, self.subscription.nack([(ack_id, wait_ms)]));
                return None;
            }
        };
        let shown = self.subscription.terms().dead_letter.is_some().then_some(attempt);
        let said = Said { id: message.id, publish_ms: message.publish_ms, attempt: shown };
        let request = self.requests.request(&payload, said, self.authorization());
        let answer = answer::answer(&self.client, request, self.timeout);
        Some(async move { Pushed { ack_id, attempt, acked: answer.await } })
    }

    fn authorization(&self) -> Option<HeaderValue> {
        let (key, claimant) = self.signed.as_ref()?;
        Some(self.core.identity.authorization(key, claimant, self.core.clock.wall_ms() / 1000))
    }

    /// Settles pushes that ended, out of `in_flight`.
    fn settle(&mut self, done: &[Pushed], in_flight: usize) {
        self.pace.settled(done.iter().map(|p| p.acked), in_flight, self.core.clock.steady_ms());
        if done.iter().any(|p| p.acked) {
            let acked = done.iter().filter(|p| p.acked).map(|p| p.ack_id.message);
            if let Err(error) = self.subscription.ack(acked) {
                tracing::warn!(%error, subscription = %self.subscription.name, "acks are not on disk; a restart may deliver again");
            }
        }
        if done.iter().any(|p| !p.acked) {
            let backoff = self.core.push_backoff();
            let failed = done.iter().filter(|p| !p.acked).map(|p| (p.ack_id, backoff.after(u32::from(p.attempt))));
            self.core.forward(&self.subscription, self.subscription.nack(failed));
        }
    }
}
