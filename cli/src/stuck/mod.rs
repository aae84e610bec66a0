//! Orders that wait too long: what is missing, who owes it, where it is, and what mends it.

mod diagnose;
mod gather;
mod render;

pub use gather::gather;
pub use render::render;

use std::collections::BTreeMap;

use events::Timestamp;
use runtime::Story;
use serde::{Deserialize, Serialize};

/// What each service knows of an order, by the service's name; `None` where it could not be asked.
pub type Stories = BTreeMap<&'static str, Option<Story>>;

/// One thing an order waits for, as OMS tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wait {
    /// Its name, `stock:furniture`.
    pub step: String,
    /// Wire type of the event that is missing.
    pub missing: String,
    /// The ledger it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// Wire type of the event that leads to it.
    pub follows: String,
    /// The service that is to say it.
    pub owed_by: String,
    /// Since when the order waits.
    pub since: String,
    /// Until when it may.
    pub deadline: String,
    /// Since when the order is stuck for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck_since: Option<String>,
}

/// An open order, as OMS tells it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenOrder {
    /// Which order.
    pub order_id: String,
    /// Where it stands.
    pub status: String,
    /// What it waits for.
    pub waits: Vec<Wait>,
}

/// Where the thing that holds an order up is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Place {
    /// Within its deadline: nobody looked for it.
    Awaited,
    /// A person has not said a word about the order.
    Review,
    /// The event that leads to it is a dead letter of this consumer.
    DeadLetter { consumer: String, event_type: String, event_id: String },
    /// Its event is in the outbox of who says it: Pub/Sub did not take it yet.
    Outbox { service: String, event_type: String, event_id: String },
    /// Pub/Sub has its event and the consumer has not handled it: on its way, or given up on by Pub/Sub's own policy.
    Unhandled { consumer: String, event_type: String, event_id: String },
    /// Who owes it has handled everything, and has not answered.
    Unanswered { consumer: String },
    /// Nobody ever said the event that leads to it.
    NeverSaid { event_type: String },
    /// This service could not be asked.
    Unknown { service: String },
}

/// A wait and what was found out about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is waited for.
    #[serde(flatten)]
    pub wait: Wait,
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
    /// The command that mends it, or shows more.
    pub command: Option<String>,
}

/// An order with everything it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// Which order.
    pub order_id: String,
    /// Where it stands.
    pub status: String,
    /// Whether one of its deadlines has passed.
    pub stuck: bool,
    /// What it waits for.
    pub waits: Vec<Finding>,
}

/// What `boutique stuck` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Stuck orders.
    pub stuck: usize,
    /// When OMS heard a minute last; absent when it heard none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minute_heard_at: Option<Timestamp>,
    /// Whether that is so long ago that nobody watches the deadlines.
    pub unwatched: bool,
    /// The orders that were asked for, by id within their status.
    pub orders: Vec<Held>,
}
