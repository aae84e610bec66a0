//! Subscribers that pull, and remember which of their acks were answered.

use std::sync::Arc;
use std::time::Duration;

use google_cloud_googleapis::pubsub::v1::subscriber_client::SubscriberClient;
use google_cloud_googleapis::pubsub::v1::{
    AcknowledgeRequest, ModifyAckDeadlineRequest, PullRequest, PullResponse, ReceivedMessage,
};
use tonic::transport::Channel;

use super::journal::{Event, Journal, Name};
use super::publishers::{AGAIN_AFTER, unanswered};

/// Messages of one pull.
const MESSAGES: i32 = 100;
/// A pull's messages are acked after so many milliseconds, at most.
const HANDLING_MS: u64 = 5;
/// The end of one pull of so many is refused by chance.
const REFUSED: u64 = 20;

/// One subscriber of a subscription.
pub(crate) struct Puller {
    pub(crate) client: SubscriberClient<Channel>,
    pub(crate) subscription: String,
    pub(crate) journal: Arc<Journal>,
    pub(crate) dice: fastrand::Rng,
}

impl Puller {
    /// Pulls until the task is ended.
    pub(crate) async fn run(mut self) {
        loop {
            let asked_at = self.journal.now();
            let subscription = self.subscription.clone();
            let request = PullRequest { subscription, max_messages: MESSAGES, ..Default::default() };
            match self.client.pull(request).await {
                Ok(answer) => self.handle(answer.into_inner(), asked_at).await,
                Err(status) => {
                    unanswered(&status);
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        }
    }

    async fn handle(&mut self, answer: PullResponse, asked_at: usize) {
        let mut taken = answer.received_messages;
        self.journal.note(taken.iter().map(|received| {
            let message = received.message.as_ref().expect("a message");
            let name = Name::of(|key| message.attributes.get(key).map(String::as_str));
            Event::Delivered { id: id(received), name, asked_at }
        }));
        tokio::time::sleep(Duration::from_millis(self.dice.u64(..=HANDLING_MS))).await;
        let is_refused = self.dice.u64(..REFUSED) == 0;
        let refused = taken.split_off(if is_refused { self.dice.usize(..=taken.len()) } else { taken.len() });
        self.ack(&taken).await;
        self.nack(&refused).await;
    }

    async fn ack(&mut self, taken: &[ReceivedMessage]) {
        // In two requests: the kill may come between them.
        let (first, second) = taken.split_at(self.dice.usize(..=taken.len()));
        for part in [first, second].into_iter().filter(|part| !part.is_empty()) {
            self.journal.note(part.iter().map(|received| Event::AckSent(id(received))));
            let request = AcknowledgeRequest { subscription: self.subscription.clone(), ack_ids: ack_ids(part) };
            match self.client.acknowledge(request).await {
                Ok(_) => self.journal.note(part.iter().map(|received| Event::AckAnswered(id(received)))),
                Err(status) => unanswered(&status),
            }
        }
    }

    async fn nack(&mut self, refused: &[ReceivedMessage]) {
        if refused.is_empty() {
            return;
        }
        let subscription = self.subscription.clone();
        let request = ModifyAckDeadlineRequest { subscription, ack_ids: ack_ids(refused), ack_deadline_seconds: 0 };
        if let Err(status) = self.client.modify_ack_deadline(request).await {
            unanswered(&status);
        }
    }
}

fn id(received: &ReceivedMessage) -> u64 {
    received.message.as_ref().and_then(|message| message.message_id.parse().ok()).expect("ids are numbers")
}

fn ack_ids(received: &[ReceivedMessage]) -> Vec<String> {
    received.iter().map(|received| received.ack_id.clone()).collect()
}
