//! Pulling through Google's official client: a stream per subscription, opened when it is first asked for.
//!
//! A task reads each stream, because a stream whose opening is broken off may have been given messages that then wait for their
//! deadline: whoever pulls can stop waiting, the task does not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use google_cloud_pubsub::client::Subscriber;
use google_cloud_pubsub::model::Message;
use google_cloud_pubsub::subscriber::MessageStream;
use google_cloud_pubsub::subscriber::handler::Handler;
use tokio::sync::{OnceCell, mpsc};

use crate::address::{Address, install_tls};
use crate::letters::{Letter, Letters, Receipt};
use crate::outgoing::BusError;
use crate::pubsub::PubSub;

/// Messages Pub/Sub gives a stream before the first of them is acked, at most.
const MAX_OUTSTANDING: i64 = 1_000;
/// Messages that wait between a stream and who pulls, at most.
const QUEUE: usize = 100;
/// How long the client keeps a message from others, however slow who pulls is.
const MAX_LEASE: Duration = Duration::from_secs(600);
/// How long to wait for one more message once there is one: those of one burst come together.
const GATHER: Duration = Duration::from_millis(5);

/// The pull side of a [`PubSub`]. Nothing is connected before it is used.
#[derive(Default)]
pub(crate) struct Inbound {
    client: OnceCell<Subscriber>,
    streams: Mutex<HashMap<String, Slot>>,
}

type Item = Result<(Message, Handler), BusError>;
type Slot = Arc<tokio::sync::Mutex<Option<mpsc::Receiver<Item>>>>;

impl Inbound {
    async fn client(&self, address: &Address) -> Result<&Subscriber, BusError> {
        let connect = || async {
            install_tls();
            let mut builder = Subscriber::builder();
            if let Some(endpoint) = &address.emulator {
                builder = builder.with_endpoint(endpoint);
            }
            if let Some(credentials) = address.credentials() {
                builder = builder.with_credentials(credentials);
            }
            builder.build().await.map_err(|error| BusError::Unavailable(error.to_string()))
        };
        self.client.get_or_try_init(connect).await
    }

    fn slot(&self, subscription: &str) -> Slot {
        let mut streams = self.streams.lock().expect("nothing panics while it looks a stream up");
        Arc::clone(streams.entry(subscription.to_owned()).or_default())
    }

    async fn pull(
        &self,
        address: &Address,
        subscription: &str,
        most: usize,
        patience: Duration,
    ) -> Result<Vec<Letter>, BusError> {
        let client = self.client(address).await?;
        let slot = self.slot(subscription);
        let mut slot = slot.lock().await;
        let waiting = slot.get_or_insert_with(|| {
            let stream = client
                .subscribe(address.subscription(subscription))
                .set_max_outstanding_messages(MAX_OUTSTANDING)
                .set_max_lease(MAX_LEASE)
                .build();
            let (queue, waiting) = mpsc::channel(QUEUE);
            tokio::spawn(read(stream, queue));
            waiting
        });
        let mut letters = Vec::new();
        let mut wait = patience;
        while letters.len() < most {
            match tokio::time::timeout(wait, waiting.recv()).await {
                Err(_) => break,
                Ok(Some(Ok((message, handler)))) => letters.push(to_letter(message, handler)),
                Ok(ended) => {
                    // What came before the end is good; the next call opens another stream.
                    *slot = None;
                    if letters.is_empty() {
                        return Err(ended.and_then(Result::err).unwrap_or(BusError::Closed));
                    }
                    break;
                }
            }
            wait = GATHER;
        }
        Ok(letters)
    }
}

/// Reads a stream until it ends, or nobody pulls from it any more.
async fn read(mut stream: MessageStream, queue: mpsc::Sender<Item>) {
    loop {
        let item = tokio::select! {
            item = stream.next() => item,
            () = queue.closed() => return,
        };
        let item = match item {
            Some(Ok(received)) => Ok(received),
            Some(Err(error)) => Err(BusError::Unavailable(error.to_string())),
            None => return,
        };
        let ended = item.is_err();
        // Handlers that nobody receives are dropped, which gives their messages back.
        if queue.send(item).await.is_err() || ended {
            return;
        }
    }
}

impl Letters for PubSub {
    fn pull<'a>(
        &'a self,
        subscription: &'a str,
        most: usize,
        patience: Duration,
    ) -> BoxFuture<'a, Result<Vec<Letter>, BusError>> {
        self.inbound().pull(self.address(), subscription, most, patience).boxed()
    }
}

fn to_letter(message: Message, handler: Handler) -> Letter {
    let time = message.publish_time.unwrap_or_default();
    Letter {
        message_id: message.message_id,
        published_at_ms: time.seconds() * 1_000 + i64::from(time.nanos()) / 1_000_000,
        attributes: message.attributes.into_iter().collect(),
        data: message.data,
        // A handler that is dropped tells Pub/Sub so.
        receipt: Receipt::new(move |is_acked| if is_acked { handler.ack() } else { handler.nack() }),
    }
}
