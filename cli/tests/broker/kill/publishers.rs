//! Publishers that outlast the broker: what is not answered is published again with the same numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use google_cloud_googleapis::pubsub::v1::PublishRequest;
use google_cloud_googleapis::pubsub::v1::publisher_client::PublisherClient;
use tonic::Code;
use tonic::transport::Channel;

use super::journal::{Name, Published};

/// Before a call that was not answered is made again.
pub(crate) const AGAIN_AFTER: Duration = Duration::from_millis(10);
/// Messages of one request without a key.
const BATCH: std::ops::RangeInclusive<u64> = 1..=20;
/// Bytes of a payload, at most: together they fill more than one segment of the log.
const PAYLOAD_BYTES: usize = 6_000;
/// Milliseconds between an answer and the next request, at most.
const PAUSE_MS: u64 = 40;

/// What publishers share.
pub(crate) struct Publishers {
    pub(crate) client: PublisherClient<Channel>,
    pub(crate) topic: String,
    pub(crate) published: Published,
    pub(crate) stop: AtomicBool,
}

impl Publishers {
    /// Publishes one stream until it is told to stop, each request after the answer to the one before: the messages
    /// of a key one by one, others in batches. Returns when all are answered.
    pub(crate) async fn run(self: Arc<Self>, stream: u64, mut dice: fastrand::Rng) {
        let mut next = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let has_key = Name { stream, number: next }.has_key();
            let count = if has_key { 1 } else { dice.u64(BATCH) };
            let names: Vec<Name> = (next..next + count).map(|number| Name { stream, number }).collect();
            next += count;
            let payload_bytes = dice.usize(..PAYLOAD_BYTES);
            self.publish(&names, payload_bytes).await;
            tokio::time::sleep(Duration::from_millis(dice.u64(..PAUSE_MS))).await;
        }
    }

    async fn publish(&self, names: &[Name], payload_bytes: usize) {
        self.published.begin(names.len());
        let messages: Vec<_> = names.iter().map(|name| name.message(payload_bytes)).collect();
        let request = PublishRequest { topic: self.topic.clone(), messages };
        loop {
            match self.client.clone().publish(request.clone()).await {
                Ok(answer) => {
                    let ids = answer.into_inner().message_ids;
                    assert_eq!(ids.len(), names.len());
                    let ids = ids.iter().map(|id| id.parse().expect("ids are numbers"));
                    return self.published.answered(ids.zip(names.iter().copied()));
                }
                Err(status) => unanswered(&status),
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}

/// A broker that is gone is no answer; one that forgot a topic or a subscription gives a wrong one.
pub(crate) fn unanswered(status: &tonic::Status) {
    let refusals = [Code::NotFound, Code::InvalidArgument, Code::FailedPrecondition, Code::Unimplemented];
    assert!(!refusals.contains(&status.code()), "refused: {status}");
}
