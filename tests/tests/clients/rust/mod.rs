//! The steps in Rust, through the official client.

mod delivery;
mod resources;
mod seek;

use std::fmt::Debug;
use std::sync::Mutex;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use google_cloud_auth::credentials::{Credentials, anonymous};
use google_cloud_gax::error::Error;
use google_cloud_gax::error::rpc::Code;
use google_cloud_pubsub::builder::subscription_admin::CreateSubscription;
use google_cloud_pubsub::client::{Publisher, SchemaService, Subscriber, SubscriptionAdmin, TopicAdmin};
use google_cloud_pubsub::error::PublishError;
use google_cloud_pubsub::model::Message;
use google_cloud_pubsub::subscriber::MessageStream;
use google_cloud_pubsub::subscriber::handler::Handler;
use tokio::time::timeout;

/// A step that takes longer has failed.
const STEP: Duration = Duration::from_secs(15);
/// How long nothing comes before we believe that nothing will.
const QUIET: Duration = Duration::from_millis(500);
const PROJECT: &str = "clients-rust";

type Step = for<'a> fn(&'a Exercise) -> BoxFuture<'a, ()>;

const STEPS: [(&str, Step); 13] = [
    ("create", |on| resources::create(on).boxed()),
    ("publish", |on| delivery::publish_and_receive(on).boxed()),
    ("order", |on| delivery::order(on).boxed()),
    ("nack", |on| delivery::nack(on).boxed()),
    ("dead-letter", |on| delivery::dead_letter(on).boxed()),
    ("seek-time", |on| seek::to_time(on).boxed()),
    ("seek-snapshot", |on| seek::to_snapshot(on).boxed()),
    ("schema", |on| resources::schema(on).boxed()),
    ("update", |on| resources::update(on).boxed()),
    ("detach", |on| resources::detach(on).boxed()),
    ("list", |on| resources::list_by_pages(on).boxed()),
    ("exactly-once", |on| delivery::exactly_once(on).boxed()),
    ("delete", |on| resources::delete(on).boxed()),
];

/// Does the chosen steps, or all when none is chosen.
///
/// # Panics
/// At the first step that fails.
pub async fn exercise(host: &str, chosen: &[String]) {
    let unknown = chosen.iter().find(|one| STEPS.iter().all(|(name, _)| name != one));
    assert_eq!(unknown, None, "there is no such step");
    let exercise = Exercise::connect(host).await;
    for (name, step) in STEPS {
        if chosen.is_empty() || chosen.iter().any(|one| one == name) {
            let done = timeout(STEP, step(&exercise)).await;
            assert!(done.is_ok(), "{name} took more than {STEP:?}");
            eprintln!("ok {name}");
        }
    }
}

/// The clients, and what was made with them.
struct Exercise {
    endpoint: String,
    topics: TopicAdmin,
    subscriptions: SubscriptionAdmin,
    schemas: SchemaService,
    subscriber: Subscriber,
    made: Mutex<Vec<String>>,
}

impl Exercise {
    async fn connect(host: &str) -> Self {
        // An error says that a provider is installed already, which is what we want.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let endpoint = format!("http://{host}");
        macro_rules! client {
            ($client:ident) => {
                $client::builder().with_endpoint(&endpoint).with_credentials(nobody()).build().await.unwrap()
            };
        }
        Self {
            topics: client!(TopicAdmin),
            subscriptions: client!(SubscriptionAdmin),
            schemas: client!(SchemaService),
            subscriber: client!(Subscriber),
            endpoint,
            made: Mutex::default(),
        }
    }

    /// The full name of something that is about to be made, and will be deleted.
    fn name(&self, kind: &str, what: &str) -> String {
        // The process's id keeps apart runs on one Pub/Sub.
        let name = format!("projects/{PROJECT}/{kind}/{what}-{}", std::process::id());
        self.made.lock().unwrap().push(name.clone());
        name
    }

    async fn topic(&self, what: &str) -> String {
        self.topics.create_topic().set_name(self.name("topics", what)).send().await.unwrap().name
    }

    /// A subscription to `topic`, which `with` may add to.
    async fn subscription(
        &self,
        what: &str,
        topic: &str,
        with: impl FnOnce(CreateSubscription) -> CreateSubscription,
    ) -> String {
        let name = self.name("subscriptions", what);
        let request = self.subscriptions.create_subscription().set_name(name).set_topic(topic);
        with(request).send().await.unwrap().name
    }

    async fn publisher(&self, topic: &str) -> Publisher {
        Publisher::builder(topic).with_endpoint(&self.endpoint).with_credentials(nobody()).build().await.unwrap()
    }

    /// Publishes one message each and gives their ids.
    async fn publish(&self, topic: &str, texts: &[&str]) -> Result<Vec<String>, PublishError> {
        let publisher = self.publisher(topic).await;
        let sent: Vec<_> = texts.iter().map(|&text| publisher.publish(message(text))).collect();
        publisher.flush().await;
        futures::future::try_join_all(sent).await
    }

    fn stream(&self, subscription: &str) -> MessageStream {
        self.subscriber.subscribe(subscription).build()
    }

    /// Acks so many messages, after which none must come, and gives their texts, sorted.
    async fn receive(&self, subscription: &str, count: usize) -> Vec<String> {
        let mut stream = self.stream(subscription);
        let mut texts = Vec::new();
        for _ in 0..count {
            let (message, handler) = following(&mut stream).await;
            handler.ack();
            texts.push(text(&message));
        }
        expect_quiet(&mut stream).await;
        close(stream).await;
        texts.sort();
        texts
    }
}

fn nobody() -> Credentials {
    anonymous::Builder::new().build()
}

fn message(text: &str) -> Message {
    Message::new().set_data(text.to_owned())
}

fn text(message: &Message) -> String {
    String::from_utf8(message.data.to_vec()).unwrap()
}

async fn following(stream: &mut MessageStream) -> (Message, Handler) {
    stream.next().await.expect("the stream goes on").unwrap()
}

async fn expect_quiet(stream: &mut MessageStream) {
    if let Ok(Some(Ok((message, _)))) = timeout(QUIET, stream.next()).await {
        panic!("{message:?} came, and should not have");
    }
}

/// Ends a stream once all it has acked is acked.
async fn close(stream: MessageStream) {
    let token = stream.shutdown_token();
    drop(stream);
    token.shutdown().await;
}

fn expect_refused<T: Debug>(answer: Result<T, Error>, code: Code) {
    let error = answer.expect_err("it should be refused");
    assert_eq!(error.status().map(|status| status.code), Some(code), "{error}");
}

fn expect_unpublished<T: Debug>(answer: Result<T, PublishError>, code: Code) {
    let Err(PublishError::Rpc(error)) = answer else { panic!("it should be refused: {answer:?}") };
    assert_eq!(error.status().map(|status| status.code), Some(code), "{error}");
}
