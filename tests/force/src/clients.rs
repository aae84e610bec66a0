//! Clients at the gateway. An order that is not answered is asked for again under the same key, as a client would who cannot know what
//! became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use runtime::peer::{Peer, Reply};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::goods;
use crate::notes::Notes;

/// The header that makes a repeated request the same request.
const KEY: &str = "idempotency-key";
/// Wait before an order is asked for again.
const PAUSE: Duration = Duration::from_millis(50);
/// One confirmed order in so many is cancelled at once by its client.
const CANCELS: u32 = 12;
/// How often an order left over is asked for again before it is given up.
const LAST_TRIES: u32 = 200;
/// Keys answered before that are asked for again.
const ASKED_AGAIN: usize = 40;

/// Clients at work.
pub struct Clients {
    enough: Arc<AtomicBool>,
    all: JoinSet<()>,
}

/// Where clients order, and who writes down what they are told.
#[derive(Clone)]
pub struct Counter {
    /// The gateway.
    pub gateway: Peer,
    /// What is answered.
    pub notes: Arc<Notes>,
}

impl Clients {
    /// Sets `count` clients to work; their keys begin with `run`, which no other run may use on the same shop. Between two orders a
    /// client waits for `pause`.
    pub fn start(counter: &Counter, count: usize, run: &str, pause: Duration, dice: &mut Rng) -> Clients {
        let enough = Arc::new(AtomicBool::new(false));
        let mut all = JoinSet::new();
        for number in 0..count {
            let client = Client {
                counter: counter.clone(),
                dice: dice.fork(),
                name: format!("{run}-{number}"),
                enough: Arc::clone(&enough),
            };
            all.spawn(client.work(pause));
        }
        Clients { enough, all }
    }

    /// Sends the clients home. What they were not answered stays in the notes as waiting.
    pub async fn stop(mut self) {
        self.enough.store(true, Ordering::Release);
        while let Some(ended) = self.all.join_next().await {
            ended.expect("a client does not panic");
        }
    }
}

struct Client {
    counter: Counter,
    dice: Rng,
    name: String,
    enough: Arc<AtomicBool>,
}

impl Client {
    async fn work(mut self, pause: Duration) {
        let mut number = 0_u64;
        while !self.has_enough() {
            number += 1;
            let key = format!("{}-{number}", self.name);
            let body = goods::order(&mut self.dice);
            self.counter.notes.asks(&key, &body);
            let order_id = loop {
                match self.counter.ask(&key, &body).await {
                    Said::Confirmed(order_id) => break Some(order_id),
                    Said::Refused => break None,
                    Said::Nothing if self.has_enough() => return,
                    Said::Nothing => tokio::time::sleep(PAUSE).await,
                }
            };
            if let Some(order_id) = order_id
                && self.dice.u32(..CANCELS) == 0
            {
                self.counter.cancel(&order_id).await;
            }
            tokio::time::sleep(pause).await;
        }
    }

    fn has_enough(&self) -> bool {
        self.enough.load(Ordering::Acquire)
    }
}

/// What the shop said to an order.
enum Said {
    Confirmed(String),
    Refused,
    /// Nothing, or that it cannot say now.
    Nothing,
}

impl Counter {
    /// Asks again for what was not answered, until everything is; and for some of what was, to hear whether the answer is the same.
    /// Answers how many orders stay without an answer.
    pub async fn ask_again(&self, dice: &mut Rng) -> usize {
        for (key, body) in self.notes.waiting() {
            for _ in 0..LAST_TRIES {
                match self.ask(&key, &body).await {
                    Said::Nothing => tokio::time::sleep(PAUSE).await,
                    _ => break,
                }
            }
        }
        let mut answered = self.notes.answered();
        dice.shuffle(&mut answered);
        for (key, body) in answered.into_iter().take(ASKED_AGAIN) {
            // What is said is compared with what was said before by the notes.
            let _ = self.ask(&key, &body).await;
        }
        self.notes.waiting().len()
    }

    async fn ask(&self, key: &str, body: &Bytes) -> Said {
        let value = HeaderValue::from_str(key).expect("a key is header text");
        let headers = HeaderMap::from_iter([(HeaderName::from_static(KEY), value)]);
        let Ok(Reply { status, body, .. }) =
            self.gateway.forward(Method::POST, "/v1/orders", headers, body.clone()).await
        else {
            return Said::Nothing;
        };
        match status {
            StatusCode::CREATED => {
                let answer: Value = serde_json::from_slice(&body).expect("a 201 comes with JSON");
                let order_id = answer["orderId"].as_str().expect("a 201 names its order").to_owned();
                self.notes.confirmed(key, &order_id);
                Said::Confirmed(order_id)
            }
            StatusCode::FORBIDDEN | StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => {
                self.notes.refused(key, status.as_u16());
                Said::Refused
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => Said::Nothing,
            status => panic!("the gateway answered {status} to an order: {}", String::from_utf8_lossy(&body)),
        }
    }

    /// A cancellation that is not answered is not asked for again: it may have happened or not.
    async fn cancel(&self, order_id: &str) {
        let path = format!("/v1/orders/{order_id}/cancel");
        let empty = Bytes::from_static(b"{}");
        if let Ok(reply) = self.gateway.forward(Method::POST, &path, HeaderMap::new(), empty).await
            && reply.status.is_success()
        {
            self.notes.cancelled(order_id);
        }
    }
}
