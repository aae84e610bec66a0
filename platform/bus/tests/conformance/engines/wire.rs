//! Pub/Sub over gRPC: our broker and Google's emulator differ by address only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::publisher_client::PublisherClient;
use google_cloud_googleapis::pubsub::v1::subscriber_client::SubscriberClient;
use testkit::pubsub::{Draft, Page, Refusal, SeekTo, SubscriptionSpec};
use tonic::transport::{Channel, Endpoint};

use super::endpoint;
use super::wire_forms as forms;
use crate::engine::{Answer, Engine, Inbox, Received};

/// Between two looks for something that has to come.
const TICK: Duration = Duration::from_millis(20);
/// No call takes longer, however busy the machine is.
const CALL: Duration = Duration::from_secs(60);
/// The largest answer read: a thousand messages, or one of ten megabytes.
const ANSWER_BYTES: usize = 32 << 20;

pub(crate) struct Wire {
    publisher: PublisherClient<Channel>,
    subscriber: SubscriberClient<Channel>,
    started: Instant,
}

impl Wire {
    pub(crate) async fn connect(host: &str) -> Wire {
        let endpoint = Endpoint::from_shared(format!("http://{host}")).unwrap().timeout(CALL);
        let channel = endpoint.connect().await.unwrap();
        Wire {
            publisher: PublisherClient::new(channel.clone()),
            subscriber: SubscriberClient::new(channel).max_decoding_message_size(ANSWER_BYTES),
            started: start(),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the engine's clock is the machine's")]
fn start() -> Instant {
    Instant::now()
}

/// A call whose answer is `$form` of the reply.
macro_rules! call {
    ($client:expr, $method:ident, $request:expr, $form:expr) => {{
        let mut client = $client.clone();
        let request = $request;
        async move {
            let reply = client.$method(request).await.map_err(|status| forms::refusal(&status))?;
            #[allow(clippy::redundant_closure_call)]
            Ok::<_, Refusal>(($form)(reply.into_inner()))
        }
        .boxed()
    }};
}

impl Engine for Wire {
    fn create_topic<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        let topic = pb::Topic { name: name.to_owned(), ..Default::default() };
        call!(self.publisher, create_topic, topic, done)
    }

    fn delete_topic<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        call!(self.publisher, delete_topic, pb::DeleteTopicRequest { topic: name.to_owned() }, done)
    }

    fn list_topics<'a>(&'a self, project: &'a str, size: i32, token: &'a str) -> Answer<'a, Page> {
        let request =
            pb::ListTopicsRequest { project: project.to_owned(), page_size: size, page_token: token.to_owned() };
        call!(self.publisher, list_topics, request, |reply: pb::ListTopicsResponse| Page {
            names: reply.topics.into_iter().map(|topic| topic.name).collect(),
            next: reply.next_page_token,
        })
    }

    fn list_topic_subscriptions<'a>(&'a self, topic: &'a str, size: i32, token: &'a str) -> Answer<'a, Page> {
        let request = pb::ListTopicSubscriptionsRequest {
            topic: topic.to_owned(),
            page_size: size,
            page_token: token.to_owned(),
        };
        call!(self.publisher, list_topic_subscriptions, request, |reply: pb::ListTopicSubscriptionsResponse| Page {
            names: reply.subscriptions,
            next: reply.next_page_token
        })
    }

    fn create_subscription<'a>(&'a self, spec: &'a SubscriptionSpec) -> Answer<'a, SubscriptionSpec> {
        call!(self.subscriber, create_subscription, forms::subscription(spec), forms::spec)
    }

    fn get_subscription<'a>(&'a self, name: &'a str) -> Answer<'a, SubscriptionSpec> {
        let request = pb::GetSubscriptionRequest { subscription: name.to_owned() };
        call!(self.subscriber, get_subscription, request, forms::spec)
    }

    fn update_subscription<'a>(
        &'a self,
        spec: &'a SubscriptionSpec,
        mask: &'a [&'a str],
    ) -> Answer<'a, SubscriptionSpec> {
        let paths = mask.iter().map(|path| (*path).to_owned()).collect();
        let request = pb::UpdateSubscriptionRequest {
            subscription: Some(forms::subscription(spec)),
            update_mask: Some(prost_types::FieldMask { paths }),
        };
        call!(self.subscriber, update_subscription, request, forms::spec)
    }

    fn modify_push_config<'a>(&'a self, name: &'a str, endpoint: &'a str) -> Answer<'a, ()> {
        let push_config = pb::PushConfig { push_endpoint: endpoint.to_owned(), ..Default::default() };
        let request = pb::ModifyPushConfigRequest { subscription: name.to_owned(), push_config: Some(push_config) };
        call!(self.subscriber, modify_push_config, request, done)
    }

    fn delete_subscription<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        let request = pb::DeleteSubscriptionRequest { subscription: name.to_owned() };
        call!(self.subscriber, delete_subscription, request, done)
    }

    fn detach_subscription<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        let request = pb::DetachSubscriptionRequest { subscription: name.to_owned() };
        call!(self.publisher, detach_subscription, request, done)
    }

    fn list_subscriptions<'a>(&'a self, project: &'a str, size: i32, token: &'a str) -> Answer<'a, Page> {
        let request =
            pb::ListSubscriptionsRequest { project: project.to_owned(), page_size: size, page_token: token.to_owned() };
        call!(self.subscriber, list_subscriptions, request, |reply: pb::ListSubscriptionsResponse| Page {
            names: reply.subscriptions.into_iter().map(|subscription| subscription.name).collect(),
            next: reply.next_page_token,
        })
    }

    fn publish<'a>(&'a self, topic: &'a str, drafts: Vec<Draft>) -> Answer<'a, Vec<String>> {
        let messages = drafts.into_iter().map(forms::message).collect();
        let request = pb::PublishRequest { topic: topic.to_owned(), messages };
        call!(self.publisher, publish, request, |reply: pb::PublishResponse| reply.message_ids)
    }

    fn pull<'a>(&'a self, name: &'a str, max_messages: i32) -> Answer<'a, Vec<Received>> {
        #[allow(deprecated, reason = "the suite waits by itself")]
        let request = pb::PullRequest { subscription: name.to_owned(), return_immediately: true, max_messages };
        call!(self.subscriber, pull, request, |reply: pb::PullResponse| {
            reply.received_messages.into_iter().map(forms::received).collect()
        })
    }

    fn acknowledge<'a>(&'a self, name: &'a str, ack_ids: Vec<String>) -> Answer<'a, ()> {
        let request = pb::AcknowledgeRequest { subscription: name.to_owned(), ack_ids };
        call!(self.subscriber, acknowledge, request, done)
    }

    fn modify_ack_deadline<'a>(&'a self, name: &'a str, ack_ids: Vec<String>, seconds: i32) -> Answer<'a, ()> {
        let request =
            pb::ModifyAckDeadlineRequest { subscription: name.to_owned(), ack_ids, ack_deadline_seconds: seconds };
        call!(self.subscriber, modify_ack_deadline, request, done)
    }

    fn seek<'a>(&'a self, name: &'a str, to: &'a SeekTo) -> Answer<'a, ()> {
        let target = match to {
            SeekTo::Time(epoch_ms) => pb::seek_request::Target::Time(forms::timestamp(*epoch_ms)),
            SeekTo::Snapshot(snapshot) => pb::seek_request::Target::Snapshot(snapshot.clone()),
        };
        let request = pb::SeekRequest { subscription: name.to_owned(), target: Some(target) };
        call!(self.subscriber, seek, request, done)
    }

    fn create_snapshot<'a>(&'a self, name: &'a str, subscription: &'a str) -> Answer<'a, ()> {
        let request = pb::CreateSnapshotRequest {
            name: name.to_owned(),
            subscription: subscription.to_owned(),
            ..Default::default()
        };
        call!(self.subscriber, create_snapshot, request, done)
    }

    fn delete_snapshot<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        call!(self.subscriber, delete_snapshot, pb::DeleteSnapshotRequest { snapshot: name.to_owned() }, done)
    }

    fn list_snapshots<'a>(&'a self, project: &'a str, size: i32, token: &'a str) -> Answer<'a, Page> {
        let request =
            pb::ListSnapshotsRequest { project: project.to_owned(), page_size: size, page_token: token.to_owned() };
        call!(self.subscriber, list_snapshots, request, |reply: pb::ListSnapshotsResponse| Page {
            names: reply.snapshots.into_iter().map(|snapshot| snapshot.name).collect(),
            next: reply.next_page_token,
        })
    }

    fn receiver(&self, inbox: Arc<Inbox>) -> BoxFuture<'_, String> {
        let started = self.started;
        endpoint::listen(inbox, move || elapsed_ms(started)).boxed()
    }

    fn elapsed_ms(&self) -> u64 {
        elapsed_ms(self.started)
    }

    fn tick(&self) -> BoxFuture<'_, ()> {
        tokio::time::sleep(TICK).boxed()
    }
}

fn elapsed_ms(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap()
}

/// An answer that says nothing.
fn done<T>(_reply: T) {}
