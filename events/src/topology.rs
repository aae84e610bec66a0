//! The one table: type → topic → who says it → who hears it, and the subscriptions that make it so.
//!
//! `schemas/topology.json`, the JSON Schemas, the broker's set-up, `boutique topology` and the infrastructure are made from it. To add an event
//! or a listener, change this file first; tests name everything that is then missing.

use serde_json::{Value, json};

use crate::fact::Fact;
use crate::{billing, fulfillment, inventory, order, platform, risk, schema};

/// The start of every wire type.
pub const TYPE_PREFIX: &str = "com.onlineboutique.";

/// A subject area with a topic of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Orders as a whole.
    Orders,
    /// Stock.
    Inventory,
    /// Money.
    Billing,
    /// Goods on their way.
    Fulfillment,
    /// Fraud risk.
    Risk,
    /// Time.
    Clock,
}

impl Topic {
    /// Every topic there is.
    pub const ALL: [Topic; 6] =
        [Topic::Orders, Topic::Inventory, Topic::Billing, Topic::Fulfillment, Topic::Risk, Topic::Clock];

    /// The short Pub/Sub name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Topic::Orders => "order-events",
            Topic::Inventory => "inventory-events",
            Topic::Billing => "billing-events",
            Topic::Fulfillment => "fulfillment-events",
            Topic::Risk => "risk-events",
            Topic::Clock => "clock-events",
        }
    }
}

/// One type of event.
#[derive(Debug, Clone, Copy)]
pub struct EventRow {
    /// Wire type.
    pub event_type: &'static str,
    /// Where it is said.
    pub topic: Topic,
    /// Services that say it.
    pub said_by: &'static [&'static str],
    /// Consumers that react to it.
    pub heard_by: &'static [&'static str],
    /// Its JSON Schema.
    pub schema: fn() -> Value,
}

/// One push subscription, `<topic>.<consumer>`.
#[derive(Debug, Clone, Copy)]
pub struct SubscriptionRow {
    /// What it listens to.
    pub topic: Topic,
    /// Whose endpoint it calls.
    pub consumer: &'static str,
    /// What it lets through, besides the rule for replays ([`SubscriptionRow::filter`]). Empty lets everything through.
    pub lets_through: &'static str,
}

/// The retry, dead-letter and deadline settings all push subscriptions share.
pub mod limits {
    /// Shortest wait before a redelivery, in milliseconds.
    pub const MIN_BACKOFF_MS: u64 = 500;
    /// Longest wait before a redelivery, in milliseconds.
    pub const MAX_BACKOFF_MS: u64 = 60_000;
    /// Deliveries before Pub/Sub's own dead-letter policy takes over. 5..=100, from Pub/Sub.
    pub const MAX_DELIVERY_ATTEMPTS: u32 = 20;
    /// Time a consumer has to answer, in seconds. 10..=600, from Pub/Sub.
    pub const ACK_DEADLINE_S: u32 = 30;
    /// How long unacknowledged messages are kept, in days.
    pub const RETENTION_DAYS: u32 = 7;
    /// How long dead letters are kept, in days.
    pub const DEAD_LETTER_RETENTION_DAYS: u32 = 14;
    /// How long consumers remember what they handled and what failed, in days: as long as an event can come again, from its
    /// subscription or from its dead letters.
    pub const INBOX_DAYS: u32 = DEAD_LETTER_RETENTION_DAYS + RETENTION_DAYS;
    /// How long services keep what they said, in days: the audit and the timelines of orders are read from it.
    pub const OUTBOX_DAYS: u32 = 35;
}

const fn row<F: Fact>(said_by: &'static [&'static str], heard_by: &'static [&'static str]) -> EventRow {
    EventRow { event_type: F::TYPE, topic: F::TOPIC, said_by, heard_by, schema: schema::of::<F> }
}

/// Every event of the choreography.
pub const EVENTS: &[EventRow] = &[
    row::<order::OrderConfirmed>(&["checkout"], &["oms", "crm", "fraud-bridge"]),
    row::<order::OrderRejected>(&["checkout"], &["oms"]),
    row::<order::OrderCancelled>(&["oms"], &["inventory", "furniture", "accounting", "warehouse", "fraud-bridge"]),
    row::<order::OrderOnHold>(&["oms"], &[]),
    row::<order::OrderReleased>(&["oms"], &[]),
    row::<order::OrderCompleted>(&["oms"], &["crm", "fraud-bridge"]),
    row::<order::OrderStuck>(&["oms"], &[]),
    row::<inventory::StockReserved>(&["checkout"], &["inventory", "furniture"]),
    row::<inventory::StockCommitted>(&["inventory", "furniture"], &["oms"]),
    row::<inventory::StockRejected>(&["inventory", "furniture"], &["oms"]),
    row::<inventory::StockReleased>(&["inventory", "furniture"], &[]),
    row::<inventory::StockLow>(&["inventory", "furniture"], &[]),
    row::<billing::InvoiceRequested>(&["checkout"], &["accounting"]),
    row::<billing::InvoiceIssued>(&["accounting"], &["oms"]),
    row::<billing::InvoiceFailed>(&["accounting"], &["oms"]),
    row::<billing::RevenueRecognized>(&["accounting"], &[]),
    row::<billing::RefundRequested>(&["oms"], &["accounting"]),
    row::<billing::RefundIssued>(&["accounting"], &["oms", "crm"]),
    row::<fulfillment::FulfillmentRequested>(&["oms"], &["warehouse"]),
    row::<fulfillment::ShipmentCreated>(&["warehouse"], &[]),
    row::<fulfillment::ShipmentDispatched>(&["warehouse"], &["oms", "accounting", "inventory", "furniture"]),
    row::<fulfillment::ShipmentDelivered>(&["warehouse"], &["oms"]),
    row::<fulfillment::ShipmentFailed>(&["warehouse"], &["oms"]),
    row::<fulfillment::ReturnRequested>(&["oms"], &["warehouse"]),
    row::<fulfillment::ReturnReceived>(&["warehouse"], &["oms", "accounting", "inventory", "furniture"]),
    row::<fulfillment::ReturnClosed>(&["warehouse"], &["oms"]),
    row::<risk::FraudCleared>(&["fraud-bridge"], &["oms"]),
    row::<risk::FraudFlagged>(&["fraud-bridge"], &["oms"]),
    row::<platform::MinuteElapsed>(
        &["scheduler"],
        &["checkout", "oms", "accounting", "warehouse", "inventory", "furniture", "fraud-bridge", "crm"],
    ),
];

const fn listen(topic: Topic, consumer: &'static str, lets_through: &'static str) -> SubscriptionRow {
    SubscriptionRow { topic, consumer, lets_through }
}

/// Every push subscription. A filter may let through more than its consumer reacts to, never less (a test holds that).
pub const SUBSCRIPTIONS: &[SubscriptionRow] = &[
    listen(Topic::Orders, "oms", r#"attributes.ce-source = "//onlineboutique.com/checkout""#),
    listen(Topic::Orders, "crm", r#"hasPrefix(attributes.ce-type, "com.onlineboutique.order.co")"#),
    listen(
        Topic::Orders,
        "fraud-bridge",
        r#"(attributes.ce-risk = "UNKNOWN" OR hasPrefix(attributes.ce-type, "com.onlineboutique.order.ca") OR hasPrefix(attributes.ce-type, "com.onlineboutique.order.com"))"#,
    ),
    listen(Topic::Orders, "inventory", r#"attributes.ce-type = "com.onlineboutique.order.cancelled.v1""#),
    listen(Topic::Orders, "furniture", r#"attributes.ce-type = "com.onlineboutique.order.cancelled.v1""#),
    listen(Topic::Orders, "accounting", r#"attributes.ce-type = "com.onlineboutique.order.cancelled.v1""#),
    listen(Topic::Orders, "warehouse", r#"attributes.ce-type = "com.onlineboutique.order.cancelled.v1""#),
    listen(
        Topic::Inventory,
        "oms",
        r#"(attributes.ce-type = "com.onlineboutique.inventory.stock_committed.v1" OR attributes.ce-type = "com.onlineboutique.inventory.stock_rejected.v1")"#,
    ),
    listen(Topic::Inventory, "inventory", r#"attributes.ce-ledger = "inventory""#),
    listen(Topic::Inventory, "furniture", r#"attributes.ce-ledger = "furniture""#),
    listen(
        Topic::Billing,
        "oms",
        r#"attributes.ce-source = "//onlineboutique.com/accounting" AND NOT attributes.ce-type = "com.onlineboutique.billing.revenue_recognized.v1""#,
    ),
    listen(
        Topic::Billing,
        "accounting",
        r#"(attributes.ce-source = "//onlineboutique.com/checkout" OR attributes.ce-source = "//onlineboutique.com/oms")"#,
    ),
    listen(Topic::Billing, "crm", r#"attributes.ce-type = "com.onlineboutique.billing.refund_issued.v1""#),
    listen(
        Topic::Fulfillment,
        "oms",
        r#"attributes.ce-source = "//onlineboutique.com/warehouse" AND NOT attributes.ce-type = "com.onlineboutique.fulfillment.shipment_created.v1""#,
    ),
    listen(Topic::Fulfillment, "warehouse", r#"attributes.ce-source = "//onlineboutique.com/oms""#),
    listen(Topic::Fulfillment, "accounting", "attributes:ce-ledger"),
    listen(Topic::Fulfillment, "inventory", r#"attributes.ce-ledger = "inventory""#),
    listen(Topic::Fulfillment, "furniture", r#"attributes.ce-ledger = "furniture""#),
    listen(Topic::Risk, "oms", ""),
    listen(Topic::Clock, "checkout", ""),
    listen(Topic::Clock, "oms", ""),
    listen(Topic::Clock, "accounting", ""),
    listen(Topic::Clock, "warehouse", ""),
    listen(Topic::Clock, "inventory", ""),
    listen(Topic::Clock, "furniture", ""),
    listen(Topic::Clock, "fraud-bridge", ""),
    listen(Topic::Clock, "crm", ""),
];

impl SubscriptionRow {
    /// The Pub/Sub name, `<topic>.<consumer>`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.topic.name(), self.consumer)
    }

    /// The whole filter: what it lets through, and a replay only when it is meant for this consumer.
    #[must_use]
    pub fn filter(&self) -> String {
        let consumer = self.consumer;
        let replays = format!(r#"(NOT attributes:ce-replaytarget OR attributes.ce-replaytarget = "{consumer}")"#);
        if self.lets_through.is_empty() { replays } else { format!("{} AND {replays}", self.lets_through) }
    }
}

/// Every consumer, in the order of the table.
#[must_use]
pub fn consumers() -> Vec<&'static str> {
    let mut names = Vec::new();
    for subscription in SUBSCRIPTIONS {
        if !names.contains(&subscription.consumer) {
            names.push(subscription.consumer);
        }
    }
    names
}

/// Whose endpoint a push subscription of ours calls, by its name; `None` for names that are not in the table, such as those Eventarc chooses.
#[must_use]
pub fn consumer_of(subscription: &str) -> Option<&'static str> {
    let (topic, consumer) = subscription.split_once('.')?;
    let row = SUBSCRIPTIONS.iter().find(|row| row.topic.name() == topic && row.consumer == consumer)?;
    Some(row.consumer)
}

/// Services that say events of this type; none for a type that is not in the table.
#[must_use]
pub fn speakers(event_type: &str) -> &'static [&'static str] {
    EVENTS.iter().find(|row| row.event_type == event_type).map_or(&[], |row| row.said_by)
}

/// The dead-letter topic of a consumer, and the name of the pull subscription on it.
#[must_use]
pub fn dead_letters(consumer: &str) -> String {
    format!("{consumer}.dead-letters")
}

/// Who hears everything: the analysts. Its dead letters are those of rows that do not fit.
pub const BIGQUERY: &str = "bigquery";
/// The table BigQuery's subscriptions write to: a message a row, with its metadata.
pub const RAW_TABLE: &str = "events_raw";
/// What BigQuery hears of a topic: all but replays, which are rows already.
pub const BIGQUERY_FILTER: &str = "NOT attributes:ce-replaytarget";

/// The Pub/Sub name of BigQuery's subscription on a topic, `<topic>.bigquery`.
#[must_use]
pub fn bigquery_subscription(topic: Topic) -> String {
    format!("{}.{BIGQUERY}", topic.name())
}

/// For a type of ours in any version: the version we know and the version it has.
#[must_use]
pub fn known_version(event_type: &str) -> Option<(u32, u32)> {
    let (name, wanted) = event_type.rsplit_once(".v")?;
    if !wanted.starts_with(|c: char| ('1'..='9').contains(&c)) {
        return None;
    }
    let wanted = wanted.parse().ok()?;
    EVENTS.iter().find_map(|row| {
        let (known_name, known) = row.event_type.rsplit_once(".v")?;
        if known_name == name { Some((known.parse().ok()?, wanted)) } else { None }
    })
}

/// The table as JSON, for programs that are not Rust.
#[must_use]
pub fn document() -> Value {
    let events: Vec<Value> = EVENTS
        .iter()
        .map(|row| {
            json!({ "type": row.event_type, "topic": row.topic.name(), "schema": schema::file_name(row.event_type),
                    "saidBy": row.said_by, "heardBy": row.heard_by })
        })
        .collect();
    let subscriptions: Vec<Value> = SUBSCRIPTIONS
        .iter()
        .map(|row| {
            json!({ "name": row.name(), "topic": row.topic.name(), "consumer": row.consumer, "filter": row.filter(),
                    "deadLetterTopic": dead_letters(row.consumer) })
        })
        .collect();
    json!({
        "topics": Topic::ALL.map(Topic::name),
        "consumers": consumers().iter().map(|name| json!({ "name": name, "deadLetters": dead_letters(name) })).collect::<Vec<_>>(),
        "limits": {
            "minBackoffMs": limits::MIN_BACKOFF_MS, "maxBackoffMs": limits::MAX_BACKOFF_MS,
            "maxDeliveryAttempts": limits::MAX_DELIVERY_ATTEMPTS, "ackDeadlineS": limits::ACK_DEADLINE_S,
            "retentionDays": limits::RETENTION_DAYS, "deadLetterRetentionDays": limits::DEAD_LETTER_RETENTION_DAYS,
        },
        "events": events,
        "subscriptions": subscriptions,
        "bigquery": {
            "table": RAW_TABLE, "filter": BIGQUERY_FILTER, "deadLetterTopic": dead_letters(BIGQUERY),
            "subscriptions": Topic::ALL.map(|topic| json!({ "name": bigquery_subscription(topic), "topic": topic.name() })),
        },
    })
}
