//! A broker, its clients, and an endpoint to push to.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, Settings};
use bytes::Bytes;
use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::publisher_client::PublisherClient;
use google_cloud_googleapis::pubsub::v1::subscriber_client::SubscriberClient;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::transport::Channel;

pub(crate) const TOPIC: &str = "projects/p/topics/order-events";
pub(crate) const DEAD: &str = "projects/p/topics/oms.dead-letters";
pub(crate) const SUBSCRIPTION: &str = "projects/p/subscriptions/order-events.oms";

/// No step of a test takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What comes within the patience of a test.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it takes too long")
}

/// A broker on its own directory and port.
pub(crate) struct World {
    pub(crate) broker: Option<Broker>,
    pub(crate) publisher: PublisherClient<Channel>,
    pub(crate) subscriber: SubscriberClient<Channel>,
    /// Deleted with the world.
    _directory: TempDir,
    pub(crate) settings: Settings,
}

impl World {
    pub(crate) async fn new() -> World {
        World::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> World {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: directory.path().join("broker"),
            fast: true,
            ..Settings::default()
        };
        change(&mut settings);
        let (broker, channel) = open(settings.clone()).await;
        let publisher = PublisherClient::new(channel.clone());
        let subscriber = SubscriberClient::new(channel);
        World { broker: Some(broker), publisher, subscriber, _directory: directory, settings }
    }

    /// A broker with a topic.
    pub(crate) async fn with_topic() -> World {
        let mut world = World::new().await;
        world.topic(TOPIC).await;
        world
    }

    /// A connection of its own.
    pub(crate) async fn channel(&self) -> Channel {
        connect(self.broker.as_ref().unwrap()).await
    }

    pub(crate) fn data(&self) -> &Path {
        &self.settings.data
    }

    /// Segments of the log on disk.
    pub(crate) fn segments(&self) -> usize {
        let files = std::fs::read_dir(self.data()).unwrap();
        files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "log")).count()
    }

    /// Ends the broker as a crash would and starts it again.
    pub(crate) async fn crash(&mut self) {
        drop(self.broker.take());
        self.start().await;
    }

    /// Ends the broker as a crash would, does something to its files, and starts it again.
    pub(crate) async fn crash_and(&mut self, tamper: impl FnOnce(&Path)) {
        drop(self.broker.take());
        // The directory is ours once its lock is.
        let lock = std::fs::File::open(self.data().join("lock")).unwrap();
        lock.lock().unwrap();
        tamper(self.data());
        drop(lock);
        self.start().await;
    }

    /// Starts the broker where the last one left off.
    pub(crate) async fn start(&mut self) {
        let (broker, channel) = open(self.settings.clone()).await;
        self.publisher = PublisherClient::new(channel.clone());
        self.subscriber = SubscriberClient::new(channel);
        self.broker = Some(broker);
    }

    pub(crate) async fn topic(&mut self, name: &str) {
        let topic = pb::Topic { name: name.to_owned(), ..Default::default() };
        self.publisher.create_topic(topic).await.unwrap();
    }

    /// Creates a subscription on the topic, changed to taste.
    pub(crate) async fn subscription(&mut self, change: impl FnOnce(&mut pb::Subscription)) {
        let mut config =
            pb::Subscription { name: SUBSCRIPTION.to_owned(), topic: TOPIC.to_owned(), ..Default::default() };
        change(&mut config);
        self.subscriber.create_subscription(config).await.unwrap();
    }

    pub(crate) async fn publish(&mut self, messages: Vec<pb::PubsubMessage>) -> Result<Vec<String>, tonic::Status> {
        let request = pb::PublishRequest { topic: TOPIC.to_owned(), messages };
        Ok(soon(self.publisher.publish(request)).await?.into_inner().message_ids)
    }

    /// Publishes texts one by one.
    pub(crate) async fn say(&mut self, texts: &[&str]) -> Vec<String> {
        let mut ids = Vec::new();
        for text in texts {
            ids.extend(self.publish(vec![message(text)]).await.unwrap());
        }
        ids
    }

    /// Publishes texts one by one with an ordering key.
    pub(crate) async fn say_in_order(&mut self, key: &str, texts: &[&str]) {
        for text in texts {
            let message = pb::PubsubMessage { ordering_key: key.to_owned(), ..message(text) };
            self.publish(vec![message]).await.unwrap();
        }
    }

    pub(crate) async fn pull_from(&mut self, subscription: &str, at_once: bool) -> Vec<pb::ReceivedMessage> {
        #[allow(deprecated)]
        let request =
            pb::PullRequest { subscription: subscription.to_owned(), return_immediately: at_once, max_messages: 1000 };
        soon(self.subscriber.pull(request)).await.unwrap().into_inner().received_messages
    }

    /// Pulls what is there.
    pub(crate) async fn pull(&mut self) -> Vec<pb::ReceivedMessage> {
        self.pull_from(SUBSCRIPTION, true).await
    }

    /// Pulls what is there and gives the texts.
    pub(crate) async fn texts(&mut self) -> Vec<String> {
        self.pull().await.iter().map(text).collect()
    }

    pub(crate) async fn ack(&mut self, received: &[pb::ReceivedMessage]) {
        let ack_ids = received.iter().map(|r| r.ack_id.clone()).collect();
        let request = pb::AcknowledgeRequest { subscription: SUBSCRIPTION.to_owned(), ack_ids };
        self.subscriber.acknowledge(request).await.unwrap();
    }

    pub(crate) async fn deadline(&mut self, received: &[pb::ReceivedMessage], seconds: i32) {
        let ack_ids = received.iter().map(|r| r.ack_id.clone()).collect();
        let request = pb::ModifyAckDeadlineRequest {
            subscription: SUBSCRIPTION.to_owned(),
            ack_ids,
            ack_deadline_seconds: seconds,
        };
        self.subscriber.modify_ack_deadline(request).await.unwrap();
    }

    /// A REST call: status and body.
    pub(crate) async fn rest(&self, method: Method, path: &str, body: &str) -> (u16, Value) {
        let address = self.broker.as_ref().unwrap().address();
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{address}{path}"))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        let response = soon(client.request(request)).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()));
        (status, json)
    }

    /// The figures of a subscription once they satisfy `good`.
    pub(crate) async fn stats_when(
        &self,
        subscription: &str,
        good: impl Fn(&broker::SubscriptionStats) -> bool,
    ) -> broker::SubscriptionStats {
        soon(async {
            loop {
                let stats = self.broker.as_ref().unwrap().stats();
                if let Some(found) = stats.subscriptions.into_iter().find(|s| s.name == subscription && good(s)) {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }
}

async fn open(settings: Settings) -> (Broker, Channel) {
    let broker = Broker::start(settings).await.unwrap();
    let channel = connect(&broker).await;
    (broker, channel)
}

async fn connect(broker: &Broker) -> Channel {
    Channel::from_shared(format!("http://{}", broker.address())).unwrap().connect().await.unwrap()
}

pub(crate) fn message(text: &str) -> pb::PubsubMessage {
    pb::PubsubMessage { data: text.as_bytes().to_vec(), ..Default::default() }
}

pub(crate) fn with_attributes(text: &str, attributes: &[(&str, &str)]) -> pb::PubsubMessage {
    let attributes: HashMap<_, _> = attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    pb::PubsubMessage { attributes, ..message(text) }
}

pub(crate) fn text(received: &pb::ReceivedMessage) -> String {
    String::from_utf8(received.message.as_ref().unwrap().data.clone()).unwrap()
}

/// A push that arrived.
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) raw: Bytes,
    /// The same as JSON, or null.
    pub(crate) body: Value,
    pub(crate) headers: http::HeaderMap,
    pub(crate) version: http::Version,
    answer: tokio::sync::oneshot::Sender<u16>,
}

impl Push {
    pub(crate) fn text(&self) -> String {
        use base64::Engine;
        let data = self.body["message"]["data"].as_str().unwrap();
        String::from_utf8(base64::engine::general_purpose::STANDARD.decode(data).unwrap()).unwrap()
    }

    pub(crate) fn answer(self, status: u16) {
        self.answer.send(status).unwrap();
    }
}

/// An endpoint that hands every push to the test and answers as the test says.
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pushes: mpsc::UnboundedReceiver<Push>,
}

impl Endpoint {
    pub(crate) async fn new() -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/push", listener.local_addr().unwrap());
        let (sender, pushes) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let sender = Arc::new(sender.clone());
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let sender = Arc::clone(&sender);
                    async move {
                        let (parts, body) = request.into_parts();
                        let raw = body.collect().await?.to_bytes();
                        let (answer, answered) = tokio::sync::oneshot::channel();
                        let body = serde_json::from_slice(&raw).unwrap_or_default();
                        let (headers, version) = (parts.headers, parts.version);
                        let _ = sender.send(Push { raw, body, headers, version, answer });
                        let status = answered.await.unwrap_or(500);
                        let mut response = Response::new(Full::new(Bytes::from_static(b"said")));
                        *response.status_mut() = StatusCode::from_u16(status).unwrap();
                        Ok::<_, hyper::Error>(response)
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Endpoint { url, pushes }
    }

    pub(crate) fn config(&self) -> pb::PushConfig {
        pb::PushConfig { push_endpoint: self.url.clone(), ..Default::default() }
    }

    pub(crate) async fn next(&mut self) -> Push {
        soon(self.pushes.recv()).await.unwrap()
    }

    /// Answers the next push and gives its text.
    pub(crate) async fn next_answered(&mut self, status: u16) -> String {
        let push = self.next().await;
        let text = push.text();
        push.answer(status);
        text
    }

    /// Whether nothing arrived that the test has not taken.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.pushes.is_empty()
    }
}
