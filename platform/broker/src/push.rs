//! Delivers one push subscription: one task that keeps its window full.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use delivery::{AckId, NEVER, PUSH, Take, Window};
use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::core::Core;
use crate::limits;
use crate::message::Envelope;
use crate::subscription::{Delivery, Subscription};
use crate::sync::stopped;

type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// How one push ended.
struct Pushed {
    ack_id: AckId,
    attempt: u16,
    acked: bool,
}

/// Pushes until the broker stops; then waits for what is in flight.
pub(crate) async fn run(core: Arc<Core>, subscription: Arc<Subscription>, endpoint: Uri) {
    let mut stopping = core.stopping.subscribe();
    let mut pusher = Pusher {
        client: client(core.settings.push_window_max()),
        endpoint,
        envelope: Envelope::new(&subscription.name),
        timeout: Duration::from_millis(subscription.terms().ack_deadline_ms),
        window: Window::new(core.settings.push_window_max(), core.settings.fast),
        failures: 0,
        paused_until_ms: 0,
        core,
        subscription: Arc::clone(&subscription),
    };
    let mut in_flight = FuturesUnordered::new();
    loop {
        let mut woken = pin!(subscription.wake.notified());
        woken.as_mut().enable();
        let now_ms = pusher.core.clock.steady_ms();
        let paused = now_ms < pusher.paused_until_ms;
        let room = if paused { 0 } else { pusher.window.room(in_flight.len()) };
        let mut wake_ms = paused.then_some(pusher.paused_until_ms);
        if room > 0 {
            let (deliveries, next_due) = pusher.take(room, now_ms);
            wake_ms = next_due;
            in_flight.extend(deliveries.into_iter().filter_map(|delivery| pusher.push(&delivery)));
        }
        let timer = async {
            match wake_ms {
                Some(at_ms) => tokio::time::sleep_until(pusher.core.clock.timer_at(at_ms)).await,
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

struct Pusher {
    core: Arc<Core>,
    subscription: Arc<Subscription>,
    endpoint: Uri,
    client: HttpClient,
    envelope: Envelope,
    timeout: Duration,
    window: Window,
    /// Failures since the last success.
    failures: u32,
    paused_until_ms: u64,
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
        let body = self.envelope.wrap(&payload, message.id, message.publish_ms, shown);
        let request = self.client.request(self.request(body));
        let timeout = self.timeout;
        Some(async move {
            let acked = tokio::time::timeout(timeout, answer(request)).await.unwrap_or(false);
            Pushed { ack_id, attempt, acked }
        })
    }

    fn request(&self, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("CloudPubSub-Google"));
        // The place of `Authorization: Bearer …` once push_config.oidc_token is signed.
        request
    }

    /// Settles pushes that ended, out of `in_flight`.
    fn settle(&mut self, done: &[Pushed], in_flight: usize) {
        let now_ms = self.core.clock.steady_ms();
        for (i, pushed) in done.iter().enumerate() {
            if pushed.acked {
                self.failures = 0;
                self.paused_until_ms = 0;
                self.window.succeeded(in_flight - i);
            } else {
                self.failures = self.failures.saturating_add(1);
                self.window.failed(in_flight - i);
                if self.window.is_closed() {
                    self.paused_until_ms = now_ms + self.core.push_backoff().after(self.failures);
                }
            }
        }
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

/// Whether the endpoint acked. Reads the rest of its answer so that the connection can be used again.
async fn answer(request: hyper_util::client::legacy::ResponseFuture) -> bool {
    let Ok(response) = request.await else { return false };
    let acked = matches!(
        response.status(),
        StatusCode::PROCESSING | StatusCode::OK | StatusCode::CREATED | StatusCode::ACCEPTED | StatusCode::NO_CONTENT
    );
    let mut body = response.into_body();
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > limits::PUSH_ANSWER_BYTES {
            break;
        }
    }
    acked
}

fn client(window: usize) -> HttpClient {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(Duration::from_secs(limits::PUSH_CONNECT_SECONDS)));
    Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(window)
        .pool_idle_timeout(Duration::from_secs(limits::PUSH_IDLE_SECONDS))
        .pool_timer(TokioTimer::new())
        .build(connector)
}
