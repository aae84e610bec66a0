//! The fraud engine: how risky the order is.
//!
//! Not required. It lives in another cloud, so it has little time; when it does not answer within it, or not with a score, or is known
//! to be down, the order is confirmed with risk `UNKNOWN`, and the fraud bridge goes on asking before anything is shipped.

use events::risk::RiskLevel;
use events::{CustomerId, OrderId};
use runtime::{Deadline, Guard, Trouble};
use serde::{Deserialize, Serialize};
use tracing::{debug, warn};

use crate::signals::Signals;

/// What the engine is told about an order. No personal data beyond the customer's id.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transaction<'a> {
    /// `checkout`.
    pub transaction_type: &'static str,
    /// How long validation took so far, in milliseconds.
    pub duration_ms: u64,
    /// Whether validation went well.
    pub success: bool,
    /// The same order is scored once.
    pub order_id: &'a OrderId,
    /// Whose order.
    pub customer_id: &'a CustomerId,
    /// What the customer pays, in cents.
    pub amount_minor: i64,
    /// Where the goods go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipping_country: Option<&'a str>,
    /// Where the bill goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_country: Option<&'a str>,
    /// How many lines.
    pub line_count: usize,
    /// What the client told of the circumstances.
    #[serde(flatten)]
    pub signals: &'a Signals,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scored {
    risk_score: RiskLevel,
}

/// The fraud engine.
pub(crate) struct FraudEngine(pub Guard);

impl FraudEngine {
    /// The risk of an order, `UNKNOWN` when the engine does not say.
    pub(crate) async fn score(&self, transaction: &Transaction<'_>, deadline: Deadline) -> RiskLevel {
        let order_id = transaction.order_id;
        match self.0.post("/metrics", transaction, deadline).await {
            Ok(Scored { risk_score }) => risk_score,
            Err(cause) => {
                match cause.trouble() {
                    // It was logged when it opened.
                    Some(Trouble::BreakerOpen) => debug!(order.id = %order_id, %cause, "the risk stays unknown"),
                    _ => warn!(order.id = %order_id, %cause, "the order goes on with its risk unknown"),
                }
                RiskLevel::Unknown
            }
        }
    }
}
