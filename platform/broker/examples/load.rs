//! What the broker costs: CPU per publish and per push, memory, latency.
//!
//! ```text
//! cargo run --release -p broker --example load -- serve /tmp/load 127.0.0.1:8085 &
//! cargo run --release -p broker --example load -- drive 127.0.0.1:8085 $!
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measuring tool reads the clock and may stop on errors"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use broker::{Broker, Settings};
use bytes::Bytes;
use futures::{StreamExt, stream};
use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::publisher_client::PublisherClient;
use google_cloud_googleapis::pubsub::v1::subscriber_client::SubscriberClient;
use http_body_util::{BodyExt, Empty};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tonic::transport::Channel;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", data, listen] => {
            let settings = Settings { data: data.into(), listen: listen.parse().unwrap(), ..Settings::default() };
            let begin = Instant::now();
            let broker = Broker::start(settings).await.unwrap();
            println!("listening on {} after {:?}", broker.address(), begin.elapsed());
            std::future::pending::<()>().await;
        }
        ["drive", address, pid] => Drive::new(address, pid).await.run().await,
        _ => println!("serve DATA ADDRESS | drive ADDRESS PID"),
    }
}

struct Drive {
    publisher: PublisherClient<Channel>,
    subscriber: SubscriberClient<Channel>,
    pid: String,
    run: u128,
}

impl Drive {
    async fn new(address: &str, pid: &str) -> Drive {
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        let run = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let (publisher, subscriber) = (PublisherClient::new(channel.clone()), SubscriberClient::new(channel));
        Drive { publisher, subscriber, pid: pid.to_owned(), run }
    }

    async fn run(mut self) {
        println!("idle: {} MB", self.rss_mb());
        let count = 20_000;
        let bare = self.topic("bare").await;
        self.measure("publish single, 32 in flight", count, self.publish_all(&bare, count, 1, 32)).await;
        self.measure("publish batches of 100", count * 5, self.publish_all(&bare, count * 5, 100, 4)).await;

        let (url, pushes) = endpoint().await;
        let pushed = self.topic("pushed").await;
        self.subscription("pushed", &pushed, |s| {
            s.push_config = Some(pb::PushConfig { push_endpoint: url, ..Default::default() });
        })
        .await;
        let both = async {
            self.publish_all(&pushed, count, 1, 32).await;
            pushes.reached(count).await;
        };
        self.measure("publish single and push", count, both).await;
        self.latency(&pushed, &pushes).await;

        let kept = self.topic("kept").await;
        self.subscription("kept", &kept, |_| {}).await;
        self.publish_all(&kept, 200_000, 100, 4).await;
        println!("200,000 outstanding: {} MB", self.rss_mb());
    }

    async fn topic(&mut self, name: &str) -> String {
        let name = format!("projects/load/topics/{name}-{}", self.run);
        self.publisher.create_topic(pb::Topic { name: name.clone(), ..Default::default() }).await.unwrap();
        name
    }

    async fn subscription(&mut self, name: &str, topic: &str, change: impl FnOnce(&mut pb::Subscription)) {
        let name = format!("projects/load/subscriptions/{name}-{}", self.run);
        let mut config = pb::Subscription { name, topic: topic.to_owned(), ..Default::default() };
        config.filter = "NOT attributes:ce-replaytarget".to_owned();
        change(&mut config);
        self.subscriber.create_subscription(config).await.unwrap();
    }

    async fn publish_all(&self, topic: &str, count: u64, batch: usize, in_flight: usize) {
        stream::iter(0..count / batch as u64)
            .for_each_concurrent(in_flight, |_| {
                let mut publisher = self.publisher.clone();
                let request = pb::PublishRequest { topic: topic.to_owned(), messages: vec![event(); batch] };
                async move {
                    publisher.publish(request).await.unwrap();
                }
            })
            .await;
    }

    async fn measure(&self, what: &str, count: u64, work: impl Future<Output = ()>) {
        let (begin, cpu) = (Instant::now(), self.cpu_us());
        work.await;
        let (wall, cpu) = (begin.elapsed(), self.cpu_us() - cpu);
        let rate = count as f64 / wall.as_secs_f64();
        println!("{what}: {rate:.0}/s, {:.1} us of CPU each", cpu as f64 / count as f64);
    }

    async fn latency(&self, topic: &str, pushes: &Pushes) {
        let mut publisher = self.publisher.clone();
        let mut all = Vec::new();
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let wanted = pushes.count.load(Ordering::Acquire) + 1;
            let begin = Instant::now();
            let request = pb::PublishRequest { topic: topic.to_owned(), messages: vec![event()] };
            let publish = publisher.publish(request);
            let (published, ()) = tokio::join!(publish, pushes.reached(wanted));
            published.unwrap();
            all.push(begin.elapsed());
        }
        all.sort();
        println!("publish to push, one at a time: p50 {:?}, p99 {:?}", all[100], all[198]);
    }

    /// CPU time of the broker in microseconds.
    fn cpu_us(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        ticks * 10_000
    }

    fn rss_mb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }
}

/// A message as the services publish it: 1 KB and the attributes of a CloudEvent.
fn event() -> pb::PubsubMessage {
    let names =
        ["id", "source", "type", "subject", "time", "dataschema", "partitionkey", "correlationid", "causationid"];
    let attributes = names.iter().map(|name| (format!("ce-{name}"), "0198c0de-7aaa-7bbb-8ccc-123456789abc".to_owned()));
    pb::PubsubMessage { data: vec![b'x'; 1024], attributes: attributes.collect(), ..Default::default() }
}

#[derive(Default)]
struct Pushes {
    count: AtomicU64,
    more: Notify,
}

impl Pushes {
    async fn reached(&self, count: u64) {
        loop {
            let more = self.more.notified();
            if self.count.load(Ordering::Acquire) >= count {
                return;
            }
            more.await;
        }
    }
}

async fn endpoint() -> (String, Arc<Pushes>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let pushes = Arc::new(Pushes::default());
    let counted = Arc::clone(&pushes);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let pushes = Arc::clone(&counted);
            let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let pushes = Arc::clone(&pushes);
                async move {
                    request.into_body().collect().await?;
                    pushes.count.fetch_add(1, Ordering::AcqRel);
                    pushes.more.notify_waiters();
                    Ok::<_, hyper::Error>(http::Response::builder().status(204).body(Empty::<Bytes>::new()).unwrap())
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (url, pushes)
}
