//! One topic's way to Pub/Sub: what waits goes out together, as soon as the request before it has been answered.

use google_cloud_pubsub::client::Publisher;
use google_cloud_pubsub::error::PublishError;
use google_cloud_pubsub::model::Message;
use tokio::sync::{mpsc, oneshot};

use crate::outgoing::{BusError, Outgoing, Published};

/// Messages that wait in a lane before `send` waits too.
const QUEUE: usize = 4_096;
/// Messages in one request. Pub/Sub takes 1,000; 100 is the official client's own default.
pub(crate) const MAX_BATCH: usize = 100;

struct Waiting {
    message: Outgoing,
    answer: oneshot::Sender<Published>,
}

/// The sending end of a lane.
#[derive(Clone)]
pub(crate) struct Lane(mpsc::Sender<Waiting>);

impl Lane {
    /// Starts the lane's task; it ends when the last sender is dropped.
    pub(crate) fn start(publisher: Publisher) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(run(publisher, receiver));
        Self(sender)
    }

    /// Queues a message; the receiver hears its fate.
    pub(crate) async fn send(&self, message: Outgoing) -> oneshot::Receiver<Published> {
        let (answer, heard) = oneshot::channel();
        if let Err(mpsc::error::SendError(waiting)) = self.0.send(Waiting { message, answer }).await {
            // The caller may have gone; then nobody wants the answer.
            let _ = waiting.answer.send(Err(BusError::Closed));
        }
        heard
    }
}

async fn run(publisher: Publisher, mut waiting: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while waiting.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let mut sent = Vec::with_capacity(batch.len());
        for Waiting { message, answer } in batch.drain(..) {
            let key = message.ordering_key.clone();
            sent.push((publisher.publish(to_wire(message)), key, answer));
        }
        publisher.flush().await;
        for (published, key, answer) in sent {
            let published = published.await.map(drop).map_err(|error| to_error(&error));
            if published.is_err() && !key.is_empty() {
                // The client pauses a key after a failure; our outbox decides what is sent next for it.
                publisher.resume_publish(key);
            }
            // The caller may have gone; then nobody wants the answer.
            let _ = answer.send(published);
        }
    }
}

fn to_wire(message: Outgoing) -> Message {
    Message::new().set_data(message.data).set_attributes(message.attributes).set_ordering_key(message.ordering_key)
}

fn to_error(error: &PublishError) -> BusError {
    match error {
        PublishError::Rpc(cause) => match cause.status() {
            Some(status) if is_refusal(status.code) => BusError::Refused(status.message.clone()),
            _ => BusError::Unavailable(cause.to_string()),
        },
        PublishError::OrderingKeyPaused => BusError::Unavailable("an earlier message of the key failed".to_owned()),
        _ => BusError::Closed,
    }
}

fn is_refusal(code: google_cloud_gax::error::rpc::Code) -> bool {
    use google_cloud_gax::error::rpc::Code;
    matches!(code, Code::InvalidArgument | Code::NotFound | Code::PermissionDenied | Code::Unauthenticated)
}
