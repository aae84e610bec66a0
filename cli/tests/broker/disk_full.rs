//! A disk without room, which takes a file system of its own to try: a small one in memory, mounted by root. Without root the test
//! is skipped, unless `BOUTIQUE_REQUIRE_ROOT_TESTS` says that it must not be.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use google_cloud_googleapis::pubsub::v1::publisher_client::PublisherClient;
use google_cloud_googleapis::pubsub::v1::subscriber_client::SubscriberClient;
use google_cloud_googleapis::pubsub::v1::{
    AcknowledgeRequest, GetTopicRequest, PublishRequest, PubsubMessage, PullRequest, ReceivedMessage, Subscription,
    Topic,
};
use tempfile::TempDir;
use tonic::{Code, Status};

use super::process::Home;

/// Bytes of the disk, and of what lies on it beside the broker's data.
const DISK: &str = "size=24m";
const BALLAST_BYTES: usize = 12 << 20;
/// Bytes of the payloads the disk is filled with: large ones first, then what still fits beside them.
const PAYLOADS: [usize; 4] = [300_000, 30_000, 3_000, 1];
/// Messages acked by one call. A page of an ack file holds 204.
const ACKS: usize = 7;
/// Messages whose acks do not fit into a page.
const MANY: usize = 300;

const TOPIC: &str = "projects/p/topics/full";
const OTHER: &str = "projects/p/topics/other";
const SUBSCRIPTION: &str = "projects/p/subscriptions/full";

/// A small file system, mounted for as long as this lives.
struct Disk {
    at: PathBuf,
    _folder: TempDir,
}

impl Disk {
    fn mount() -> Option<Disk> {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("disk");
        std::fs::create_dir(&at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "broker-test"]).arg(&at).output();
        if !mounted.is_ok_and(|mounted| mounted.status.success()) {
            assert!(std::env::var("BOUTIQUE_REQUIRE_ROOT_TESTS").is_err(), "a file system cannot be mounted");
            eprintln!("skipped: a file system cannot be mounted, which takes root");
            return None;
        }
        Some(Disk { at, _folder: folder })
    }

    /// Writes a file of so many bytes, or as many as there is room for.
    fn lay(&self, name: &str, bytes: usize) -> PathBuf {
        let path = self.at.join(name);
        let mut file = File::create(&path).unwrap();
        for _ in 0..bytes / 4_096 {
            if file.write_all(&[1; 4_096]).is_err() {
                break;
            }
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, as a broker may be about to end. One that stays is seen by people and holds a few megabytes of memory.
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

/// A client that remembers what was answered.
struct Client {
    home: Home,
    published: BTreeSet<String>,
    acked: BTreeSet<String>,
}

impl Client {
    async fn new(folder: &Path) -> Client {
        Client { home: Home::below(folder), published: BTreeSet::new(), acked: BTreeSet::new() }
    }

    async fn create_topic(&self, name: &str) -> Result<(), Status> {
        let topic = Topic { name: name.to_owned(), ..Default::default() };
        PublisherClient::new(self.home.channel()).create_topic(topic).await.map(|_| ())
    }

    async fn has_topic(&self, name: &str) -> bool {
        let request = GetTopicRequest { topic: name.to_owned() };
        PublisherClient::new(self.home.channel()).get_topic(request).await.is_ok()
    }

    async fn subscription(&self) {
        let config = Subscription {
            name: SUBSCRIPTION.to_owned(),
            topic: TOPIC.to_owned(),
            ack_deadline_seconds: 600,
            ..Default::default()
        };
        SubscriberClient::new(self.home.channel()).create_subscription(config).await.unwrap();
    }

    async fn publish(&mut self, count: usize, bytes: usize) -> Result<(), Status> {
        let message = PubsubMessage { data: vec![b'x'; bytes], ..Default::default() };
        let request = PublishRequest { topic: TOPIC.to_owned(), messages: vec![message; count] };
        let answer = PublisherClient::new(self.home.channel()).publish(request).await?;
        self.published.extend(answer.into_inner().message_ids);
        Ok(())
    }

    /// Publishes until nothing goes in any more, however small. Every refusal must say why.
    async fn fill(&mut self) {
        for bytes in PAYLOADS {
            let refusal = loop {
                if let Err(refusal) = self.publish(1, bytes).await {
                    break refusal;
                }
            };
            assert_eq!(refusal.code(), Code::Unavailable, "{refusal}");
            assert!(refusal.message().contains("No space left on device"), "{refusal}");
        }
    }

    /// All that is there.
    async fn pull(&self) -> Vec<ReceivedMessage> {
        let mut subscriber = SubscriberClient::new(self.home.channel()).max_decoding_message_size(64 << 20);
        let mut all = Vec::new();
        loop {
            #[allow(deprecated)]
            let request =
                PullRequest { subscription: SUBSCRIPTION.to_owned(), max_messages: 1_000, return_immediately: true };
            let received = subscriber.pull(request).await.unwrap().into_inner().received_messages;
            if received.is_empty() {
                return all;
            }
            all.extend(received);
        }
    }

    async fn ack(&mut self, received: &[ReceivedMessage]) -> Result<(), Status> {
        let ack_ids = received.iter().map(|received| received.ack_id.clone()).collect();
        let request = AcknowledgeRequest { subscription: SUBSCRIPTION.to_owned(), ack_ids };
        SubscriberClient::new(self.home.channel()).acknowledge(request).await?;
        self.acked.extend(received.iter().map(id));
        Ok(())
    }

    /// What comes is all that was published and not acked. An ack that was refused may have been written all the same.
    async fn owes_what_was_answered(&self, tried: &[ReceivedMessage]) -> Vec<ReceivedMessage> {
        let received = self.pull().await;
        let came: BTreeSet<String> = received.iter().map(id).collect();
        let back: Vec<_> = came.intersection(&self.acked).collect();
        assert!(back.is_empty(), "acked, and back: {back:?}");
        let done: BTreeSet<String> = self.acked.iter().cloned().chain(tried.iter().map(id)).collect();
        let missing: Vec<_> = self.published.iter().filter(|id| !came.contains(*id) && !done.contains(*id)).collect();
        assert!(missing.is_empty(), "published, and missing: {missing:?}");
        for received in &received {
            let data = &received.message.as_ref().expect("a message").data;
            assert!(PAYLOADS.contains(&data.len()) && data.iter().all(|byte| *byte == b'x'), "a payload is damaged");
        }
        received
    }
}

fn id(received: &ReceivedMessage) -> String {
    received.message.as_ref().expect("a message").message_id.clone()
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing_also_not_in_a_crash_and_goes_on_when_there_is_room() {
    let Some(disk) = Disk::mount() else { return };
    let ballast = disk.lay("ballast", BALLAST_BYTES);
    let mut client = Client::new(&disk.at).await;
    let broker = client.home.start().await;
    client.create_topic(TOPIC).await.unwrap();
    client.subscription().await;
    client.publish(MANY, 1).await.unwrap();
    let mut received = client.pull().await;
    client.ack(&received[..1]).await.unwrap();

    client.fill().await;
    // The pages that are left, which acks and the catalogue could go to.
    let crumbs = disk.lay("crumbs", BALLAST_BYTES);
    let refusal = client.create_topic(OTHER).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unavailable, "{refusal}");
    assert!(!client.has_topic(OTHER).await);
    // Acks go on until the page of the ack file is full.
    received.extend(client.pull().await);
    let refused = acks_until_refused(&mut client, &received[1..]).await;
    broker.kill_9();

    // A start must not depend on a file that is there for convenience.
    std::fs::remove_file(client.home.data.join("env.yaml")).unwrap();
    let last_crumbs = disk.lay("last-crumbs", BALLAST_BYTES);
    let broker = client.home.start().await;
    let received = client.owes_what_was_answered(refused).await;
    assert_eq!(client.publish(1, 300_000).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(client.create_topic(OTHER).await.unwrap_err().code(), Code::Unavailable);

    for file in [last_crumbs, crumbs, ballast] {
        std::fs::remove_file(file).unwrap();
    }
    client.publish(1, 300_000).await.unwrap();
    client.create_topic(OTHER).await.unwrap();
    client.ack(&received[..ACKS]).await.unwrap();
    broker.kill_9();

    let _broker = client.home.start().await;
    client.owes_what_was_answered(refused).await;
    assert!(client.has_topic(OTHER).await);
}

/// Acks a few at a time until a call is refused. Gives the messages of the call that was.
async fn acks_until_refused<'a>(client: &mut Client, received: &'a [ReceivedMessage]) -> &'a [ReceivedMessage] {
    for few in received.chunks(ACKS) {
        if let Err(refusal) = client.ack(few).await {
            assert_eq!(refusal.code(), Code::Unavailable, "{refusal}");
            return few;
        }
    }
    panic!("{} messages were acked on a disk that is full", received.len());
}
