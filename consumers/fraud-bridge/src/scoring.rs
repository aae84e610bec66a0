//! Scorings as they are kept and shown.

use events::{CustomerId, EventId, OrderId, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

/// A question to be asked, with what its answer's event needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) order_id: OrderId,
    pub(crate) customer_id: CustomerId,
    /// What the customer pays, in hundredths.
    pub(crate) amount_minor: i64,
    pub(crate) line_count: i64,
    /// Where the goods go, if checkout knew.
    pub(crate) shipping_country: Option<String>,
    /// Where the bill goes, if checkout knew.
    pub(crate) billing_country: Option<String>,
    /// When the order was placed, in milliseconds since the Unix epoch: what the engine judges it by.
    pub(crate) placed_at_ms: i64,
    /// The event that opened the scoring.
    pub(crate) event_id: EventId,
    /// The first event of the order's story.
    pub(crate) correlation_id: EventId,
    pub(crate) traceparent: Option<String>,
    /// Questions asked so far.
    pub(crate) attempts: u32,
}

/// A scoring as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScoringView {
    pub(crate) order_id: String,
    pub(crate) customer_id: String,
    pub(crate) status: String,
    pub(crate) risk_score: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) last_error: Option<String>,
    /// `None` once the engine has answered.
    pub(crate) next_attempt_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
}
