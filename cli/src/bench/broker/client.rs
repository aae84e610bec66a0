//! The one client for every side: plain gRPC on one connection.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures::{TryStreamExt, stream};
use google_cloud_googleapis::pubsub::v1::publisher_client::PublisherClient;
use google_cloud_googleapis::pubsub::v1::subscriber_client::SubscriberClient;
use google_cloud_googleapis::pubsub::v1::{
    DeleteSubscriptionRequest, DeleteTopicRequest, PublishRequest, PushConfig, Subscription, Topic,
};
use runtime::clock::{self, Stopwatch};
use tonic::transport::{Channel, Endpoint};

use super::message;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest answer accepted, in bytes. The default of 4 MB is below what a pull may answer with.
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// The longest ack deadline there is: nothing is delivered again because a figure takes its time.
const ACK_DEADLINE_SECONDS: i32 = 600;

/// How publishing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Messages of one request. 1..=1000.
    pub batch: u16,
    /// Requests under way. 1 or more.
    pub in_flight: usize,
}

/// One message a request.
pub const SINGLE: Shape = Shape { batch: 1, in_flight: 32 };
/// A hundred, as the client libraries batch by default.
pub const BATCHES: Shape = Shape { batch: 100, in_flight: 4 };

/// A topic with one subscription.
pub struct Place {
    /// The topic's full name.
    pub topic: String,
    /// The subscription's full name.
    pub subscription: String,
}

/// A connection. A clone shares it.
#[derive(Clone)]
pub struct Client {
    publisher: PublisherClient<Channel>,
    /// For the calls that figures make themselves.
    pub subscriber: SubscriberClient<Channel>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn connect(host: &str) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_shared(format!("http://{host}"))?.timeout(PATIENCE).connect_timeout(PATIENCE);
        let channel = endpoint.connect().await.with_context(|| format!("cannot connect to {host}"))?;
        Ok(Self {
            publisher: PublisherClient::new(channel.clone()),
            subscriber: SubscriberClient::new(channel).max_decoding_message_size(MAX_ANSWER_BYTES),
        })
    }

    /// Makes a topic that nobody else uses.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn topic(&self) -> anyhow::Result<String> {
        let name = format!("projects/boutique-bench/topics/t-{}", clock::new_id());
        let topic = Topic { name: name.clone(), ..Default::default() };
        self.publisher.clone().create_topic(topic).await.context("cannot create a topic")?;
        Ok(name)
    }

    /// Makes a topic with one subscription, which is pushed to `push_to` or waits to be pulled.
    ///
    /// # Errors
    /// When one of them is refused.
    pub async fn place(&self, push_to: Option<String>) -> anyhow::Result<Place> {
        let topic = self.topic().await?;
        let name = format!("projects/boutique-bench/subscriptions/s-{}", clock::new_id());
        let push_config = push_to.map(|url| PushConfig { push_endpoint: url, ..Default::default() });
        let config = Subscription {
            name: name.clone(),
            topic: topic.clone(),
            push_config,
            ack_deadline_seconds: ACK_DEADLINE_SECONDS,
            ..Default::default()
        };
        self.subscriber.clone().create_subscription(config).await.context("cannot create a subscription")?;
        Ok(Place { topic, subscription: name })
    }

    /// Deletes both, with what they hold.
    ///
    /// # Errors
    /// When one of them is gone.
    pub async fn remove(&self, place: Place) -> anyhow::Result<()> {
        let request = DeleteSubscriptionRequest { subscription: place.subscription };
        self.subscriber.clone().delete_subscription(request).await.context("cannot delete a subscription")?;
        self.remove_topic(place.topic).await
    }

    /// Deletes a topic.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn remove_topic(&self, topic: String) -> anyhow::Result<()> {
        let request = DeleteTopicRequest { topic };
        self.publisher.clone().delete_topic(request).await.context("cannot delete a topic")?;
        Ok(())
    }

    /// Publishes the messages of these numbers in their order, or as many as can be begun within `time`. Answers how many; all are answered
    /// by then.
    ///
    /// # Errors
    /// When a request is refused or answered with another number of ids than it had messages.
    pub async fn publish(
        &self,
        topic: &str,
        numbers: Range<u64>,
        shape: Shape,
        time: Option<Duration>,
    ) -> anyhow::Result<u64> {
        let watch = Stopwatch::start();
        let mut next = numbers.start;
        let requests = std::iter::from_fn(|| {
            if next >= numbers.end || time.is_some_and(|time| watch.elapsed() >= time) {
                return None;
            }
            let first = next;
            next = numbers.end.min(first + u64::from(shape.batch));
            Some(Ok(first..next))
        });
        stream::iter(requests).try_for_each_concurrent(shape.in_flight, |numbers| self.request(topic, numbers)).await?;
        Ok(next - numbers.start)
    }

    /// Publishes the messages of these numbers with one request.
    ///
    /// # Errors
    /// When it is refused or answered with another number of ids than it had messages.
    pub async fn request(&self, topic: &str, numbers: Range<u64>) -> anyhow::Result<()> {
        let messages = message::messages(numbers);
        let count = messages.len();
        let request = PublishRequest { topic: topic.to_owned(), messages };
        let answer = self.publisher.clone().publish(request).await.context("a publish failed")?;
        let ids = answer.into_inner().message_ids.len();
        ensure!(ids == count, "a publish of {count} messages was answered with {ids} ids");
        Ok(())
    }
}
