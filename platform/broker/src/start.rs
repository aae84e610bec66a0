//! From a data directory to what the broker keeps in memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use google_cloud_googleapis::pubsub::v1 as pb;

use crate::clock::Clock;
use crate::error::BrokerError;
use crate::faults::Dice;
use crate::log::{self, Found, Log, Recent, SavedCatalogue};
use crate::message::MessageView;
use crate::retention;
use crate::schema::{Guard, Revision, Schema};
use crate::settings::Settings;
use crate::snapshot::Snapshot;
use crate::subscription::{Ground, Subscription};
use crate::topic::Topic;

/// What a start found.
pub(crate) struct Opened {
    pub(crate) log: Log,
    pub(crate) writer: JoinHandle<()>,
    pub(crate) dice: Arc<Dice>,
    pub(crate) recent: Arc<Recent>,
    pub(crate) topics: HashMap<String, Arc<Topic>>,
    pub(crate) subscriptions: HashMap<String, Arc<Subscription>>,
    pub(crate) snapshots: HashMap<String, Arc<Snapshot>>,
    pub(crate) schemas: HashMap<String, Arc<Schema>>,
    pub(crate) last_number: u32,
}

/// Refuses settings that cannot work.
pub(crate) fn check(settings: &Settings) -> Result<(), BrokerError> {
    let checks = [
        ((64 << 10..=1 << 30).contains(&settings.segment_bytes), "segment_bytes"),
        (settings.recent_bytes <= 1 << 30, "recent_bytes"),
        ((1..=65_536).contains(&settings.connections), "connections"),
        (settings.faults.are_in_range(), "faults"),
        (settings.push_window.is_none_or(|n| (1..=1_000).contains(&n)), "push_window"),
        (settings.has_good_issuer(), "issuer"),
    ];
    match checks.into_iter().find(|(good, _)| !good) {
        Some((_, name)) => Err(BrokerError::Setting { name }),
        None => Ok(()),
    }
}

/// Takes the data directory's lock, reads it and starts the log's writer. Blocks.
pub(crate) fn open(settings: &Settings, clock: Clock) -> Result<Opened, BrokerError> {
    let lock = log::lock(&settings.data)?;
    let path = settings.data.join("catalogue");
    let mut catalogue = log::load_catalogue(&settings.data).map_err(|source| match source.kind() {
        std::io::ErrorKind::InvalidData => BrokerError::Damaged { path, offset: 0 },
        _ => BrokerError::Data { path, source },
    })?;
    let last_number = catalogue.last_number;
    let dice = Arc::new(Dice::new(settings.faults));
    let ground = Ground { log: Log::new(), clock, fast: settings.fast, dice: Arc::clone(&dice) };
    let snapshots: Vec<Arc<Snapshot>> =
        catalogue.snapshots.iter().map(|saved| Arc::new(Snapshot::restored(saved.clone()))).collect();
    let schemas = schemas(std::mem::take(&mut catalogue.schemas));
    let (by_topic, subscriptions) = build(&ground, catalogue, &schemas);
    // Microseconds, so that two brokers that both began with an empty directory do not give the same ids.
    let first_id = clock.wall_ms() * 1000;
    let recovered = log::recover(&settings.data, first_id, |found| {
        restore(&by_topic, found);
        snapshots.iter().filter(|s| s.topic == found.topic).for_each(|s| s.restore(&found.stored));
    })?;
    let alive = by_topic.into_values().filter(|topic| !topic.name.is_empty());
    let topics: HashMap<_, _> = alive.map(|topic| (topic.name.clone(), topic)).collect();
    let snapshots: HashMap<_, _> = snapshots.into_iter().map(|snapshot| (snapshot.name.clone(), snapshot)).collect();
    // Before the writer starts: it begins with deleting what nobody claims.
    ground.log.claims().set(retention::claims(topics.values(), subscriptions.values(), snapshots.values()));
    let recent = Arc::new(Recent::new(settings.recent_bytes));
    let writer =
        ground.log.start(settings, recovered, Arc::clone(&recent), clock, lock).map_err(BrokerError::Writer)?;
    Ok(Opened { log: ground.log, writer, dice, recent, topics, subscriptions, snapshots, schemas, last_number })
}

/// Schemas by name, from their revisions.
fn schemas(saved: Vec<pb::Schema>) -> HashMap<String, Arc<Schema>> {
    let mut by_name: HashMap<String, Vec<Revision>> = HashMap::new();
    for config in saved {
        by_name.entry(config.name.clone()).or_default().push(Revision::restored(config));
    }
    by_name.into_iter().map(|(name, revisions)| (name, Arc::new(Schema::new(revisions)))).collect()
}

/// Topics by number, with their subscriptions, and all subscriptions by name. Deleted topics that still have subscriptions are
/// among the topics; detached subscriptions are with none.
fn build(
    ground: &Ground,
    catalogue: SavedCatalogue,
    schemas: &HashMap<String, Arc<Schema>>,
) -> (HashMap<u32, Arc<Topic>>, HashMap<String, Arc<Subscription>>) {
    let topic = |number, config: pb::Topic| {
        let settings = config.schema_settings.clone();
        let topic = Topic::new(number, config);
        topic.set_guard(settings.map(|settings| {
            let schema = schemas.get(&settings.schema).cloned();
            Guard::restored(settings, schema)
        }));
        topic
    };
    let mut topics: HashMap<u32, Arc<Topic>> =
        catalogue.topics.into_iter().map(|saved| (saved.number, Arc::new(topic(saved.number, saved.config)))).collect();
    let mut subscriptions = HashMap::new();
    for saved in catalogue.subscriptions {
        let topic = topics.entry(saved.topic).or_insert_with(|| Arc::new(Topic::deleted(saved.topic)));
        let subscription = Arc::new(Subscription::new(saved, Arc::clone(topic), ground));
        if !subscription.is_detached() {
            topic.attach(Arc::clone(&subscription));
        }
        subscriptions.insert(subscription.name.clone(), subscription);
    }
    (topics, subscriptions)
}

/// Gives a message of the log back to the subscriptions that are not done with it.
fn restore(topics: &HashMap<u32, Arc<Topic>>, found: &Found) {
    let Some(topic) = topics.get(&found.topic) else { return };
    let mut attributes = None;
    for subscription in topic.subscriptions() {
        let before = found.stored.id < subscription.first_id();
        if before || found.is_done(subscription.number) {
            continue;
        }
        if let Some(filter) = &subscription.filter {
            let attributes = attributes.get_or_insert_with(|| MessageView::of_stored(found.payload).attributes);
            if !filter.matches(attributes) {
                continue;
            }
        }
        subscription.restore(Arc::clone(&found.stored), found.attempts(subscription.number));
    }
}
