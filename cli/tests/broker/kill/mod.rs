//! `kill -9` under load, again and again: what was answered is there, what was acked stays away, keys stay in order.
//! Publishers and subscribers outlast the broker. `BOUTIQUE_SEED` replays the dice of a run.

mod check;
mod endpoint;
mod journal;
mod publishers;
mod pullers;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use google_cloud_googleapis::pubsub::v1::publisher_client::PublisherClient;
use google_cloud_googleapis::pubsub::v1::subscriber_client::SubscriberClient;
use google_cloud_googleapis::pubsub::v1::{DeadLetterPolicy, PushConfig, Subscription, Topic};
use runtime::clock::Stopwatch;
use tempfile::TempDir;
use tokio::task::JoinSet;

use self::journal::{FIRST_KEY, Journal, Name, Published};
use self::publishers::Publishers;
use self::pullers::Puller;
use super::process::{Broker, Home};

const ROUNDS: u32 = 10;
/// Milliseconds of load before each kill.
const LOAD_MS: std::ops::Range<u64> = 300..1_500;
/// Publishers without keys, and keys.
const STREAMS: u64 = 6;
const KEYS: u64 = 8;
/// How long all backlogs may take to be empty once nothing is published any more.
const DRAIN_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);

const TOPIC: &str = "projects/p/topics/load";
const DEAD: &str = "projects/p/topics/dead";
const PUSHED: [&str; 3] = ["pushed", "pushed-in-order", "mortal"];
const PULLED: [&str; 4] = ["pulled", "pulled-in-order", "filtered", "dead-letters"];
/// What the filters of `filtered` and `mortal` let through.
const FILTERED_STREAM: u64 = 0;
/// Subscribers of each pull subscription.
const PULLERS: usize = 2;

struct World {
    home: Home,
    broker: Option<Broker>,
    journals: BTreeMap<&'static str, Arc<Journal>>,
    publishers: Arc<Publishers>,
    publishing: JoinSet<()>,
    pulling: JoinSet<()>,
    longest_start: Duration,
    /// Goes after the broker.
    _folder: TempDir,
}

fn subscription(name: &str, endpoint: &str) -> Subscription {
    let push = PUSHED.contains(&name);
    let endpoint = PushConfig { push_endpoint: format!("{endpoint}/{name}"), ..Default::default() };
    let is_filtered = ["filtered", "mortal"].contains(&name);
    Subscription {
        name: format!("projects/p/subscriptions/{name}"),
        topic: if name == "dead-letters" { DEAD } else { TOPIC }.to_owned(),
        push_config: push.then_some(endpoint),
        enable_message_ordering: name.ends_with("-in-order"),
        filter: if is_filtered { format!("attributes.stream = \"{FILTERED_STREAM}\"") } else { String::new() },
        dead_letter_policy: (name == "mortal")
            .then(|| DeadLetterPolicy { dead_letter_topic: DEAD.to_owned(), max_delivery_attempts: 5 }),
        ..Default::default()
    }
}

impl World {
    async fn new(dice: &mut fastrand::Rng) -> World {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::below(folder.path());
        let broker = home.start().await;
        let longest_start = broker.started_in;
        let journals: BTreeMap<_, _> =
            PUSHED.into_iter().chain(PULLED).map(|n| (n, Arc::<Journal>::default())).collect();
        let paths = PUSHED.into_iter().map(|name| (format!("/{name}"), Arc::clone(&journals[name])));
        let endpoint = endpoint::open(paths.collect(), dice.u64(..)).await;
        let client = PublisherClient::new(home.channel());
        for name in [TOPIC, DEAD] {
            let topic = Topic { name: name.to_owned(), ..Default::default() };
            client.clone().create_topic(topic).await.unwrap();
        }
        for name in journals.keys() {
            let subscription = subscription(name, &endpoint);
            SubscriberClient::new(home.channel()).create_subscription(subscription).await.unwrap();
        }
        let published = Published::default();
        let publishers =
            Arc::new(Publishers { client, topic: TOPIC.to_owned(), published, stop: AtomicBool::new(false) });
        World {
            home,
            broker: Some(broker),
            journals,
            publishers,
            publishing: JoinSet::new(),
            pulling: JoinSet::new(),
            longest_start,
            _folder: folder,
        }
    }

    fn load(&mut self, dice: &mut fastrand::Rng) {
        for stream in (0..STREAMS).chain(FIRST_KEY..FIRST_KEY + KEYS) {
            self.publishing.spawn(Arc::clone(&self.publishers).run(stream, dice.fork()));
        }
        for name in PULLED {
            for _ in 0..PULLERS {
                let puller = Puller {
                    client: SubscriberClient::new(self.home.channel()),
                    subscription: format!("projects/p/subscriptions/{name}"),
                    journal: Arc::clone(&self.journals[name]),
                    dice: dice.fork(),
                };
                self.pulling.spawn(puller.run());
            }
        }
    }

    async fn kill_9_and_start(&mut self) {
        self.broker.take().expect("one that runs").kill_9();
        let broker = self.home.start().await;
        self.longest_start = self.longest_start.max(broker.started_in);
        self.broker = Some(broker);
    }

    /// Waits until every subscription is there and owes nothing.
    async fn drain(&self) {
        let watch = Stopwatch::start();
        loop {
            let stats = self.home.stats().await.expect("the broker runs");
            let subscriptions = stats["subscriptions"].as_array().expect("a list");
            assert_eq!(subscriptions.len(), self.journals.len(), "{stats:#}");
            if subscriptions.iter().all(|subscription| subscription["backlog"] == 0) {
                return;
            }
            assert!(watch.elapsed() < DRAIN_WITHIN, "backlogs stay:\n{stats:#}\n{}", self.home.said());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn judge(&self, seed: u64) {
        let published = self.publishers.published.all();
        let (mut lost, mut back, mut disorder) = (Vec::new(), Vec::new(), Vec::new());
        let (mut deliveries, mut distinct) = (0, 0);
        for (subscription, journal) in &self.journals {
            let events = journal.all();
            deliveries += check::deliveries(&events);
            distinct += check::delivered(&events).len();
            if *subscription == "dead-letters" {
                // A dead letter has an id of its own.
                let names: HashSet<Name> = check::delivered(&events).into_values().collect();
                let owed = published.iter().filter(|(_, name)| name.stream == FILTERED_STREAM && name.is_poison());
                lost.extend(owed.filter(|(_, name)| !names.contains(name)).map(|m| (*subscription, *m)));
            } else {
                let all = !["filtered", "mortal"].contains(subscription);
                let owed = published.iter().copied().filter(|(_, name)| all || name.stream == FILTERED_STREAM);
                lost.extend(check::lost(&events, owed).into_iter().map(|m| (*subscription, m)));
            }
            back.extend(check::came_back(&events).into_iter().map(|id| (*subscription, id)));
            if subscription.ends_with("-in-order") {
                disorder.extend(check::out_of_order(&events).into_iter().map(|why| (*subscription, why)));
            }
        }
        println!(
            "seed {seed}: {ROUNDS} rounds, published {}, answered {}, deliveries {deliveries}, repeats {}, lost {}, came back {}, out of \
             order {}, longest start {} ms",
            self.publishers.published.begun.load(Ordering::Relaxed),
            published.len(),
            deliveries - distinct,
            lost.len(),
            back.len(),
            disorder.len(),
            self.longest_start.as_millis(),
        );
        assert!(lost.is_empty(), "seed {seed}, lost: {:?}", first(&lost));
        assert!(back.is_empty(), "seed {seed}, came back: {:?}", first(&back));
        assert!(disorder.is_empty(), "seed {seed}, out of order: {:#?}", first(&disorder));
        let twice = check::given_twice(&published);
        assert!(twice.is_empty(), "seed {seed}, ids given twice: {:?}", first(&twice));
        assert!(check::deliveries(&self.journals["dead-letters"].all()) > 0, "seed {seed}, no dead letter");
    }
}

fn first<T>(all: &[T]) -> &[T] {
    &all[..all.len().min(10)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_kills_under_load_lose_nothing_bring_back_nothing_and_keep_the_order() {
    let seed = std::env::var("BOUTIQUE_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("BOUTIQUE_SEED={seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut world = World::new(&mut dice).await;
    world.load(&mut dice);
    for _ in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(dice.u64(LOAD_MS))).await;
        world.kill_9_and_start().await;
    }
    world.publishers.stop.store(true, Ordering::Relaxed);
    while let Some(ended) = world.publishing.join_next().await {
        ended.unwrap();
    }
    world.drain().await;
    // What was acked at the very end stays away as well.
    world.kill_9_and_start().await;
    world.drain().await;
    assert!(world.pulling.try_join_next().is_none(), "a puller ended");
    world.judge(seed);
}
