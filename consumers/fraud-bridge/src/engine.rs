//! The call to the fraud engine.
//!
//! A question is tried once: what is unanswered is asked again by the scoring's own schedule. The engine scores an order once, so
//! asking again brings the first answer again, also one that checkout gave up waiting for.

use events::risk::RiskLevel;
use events::{CustomerId, OrderId, Timestamp};
use runtime::{CallError, Identity, Peer, clock};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::decide;
use crate::report::Report;
use crate::scoring::Question;

/// What checkout calls its transactions, too.
const TRANSACTION_TYPE: &str = "checkout";

/// The fraud engine.
#[derive(Clone)]
pub(crate) struct Engine(Peer);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metric<'a> {
    transaction_type: &'static str,
    duration_ms: u32,
    success: bool,
    order_id: &'a OrderId,
    customer_id: &'a CustomerId,
    amount_minor: i64,
    line_count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    occurred_at: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ended<'a> {
    transaction_type: &'a str,
    duration_ms: i64,
    success: bool,
    order_id: &'a OrderId,
}

/// What the engine says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    pub(crate) risk_score: RiskLevel,
    #[serde(default)]
    pub(crate) reasons: Vec<String>,
}

impl Engine {
    pub(crate) fn new(config: &Config, identity: &Identity) -> Self {
        Self(identity.peer("fraud-engine", &config.fraud_engine_url, config.timeout))
    }

    /// Asks once, at `now_ms` (Unix milliseconds).
    ///
    /// # Errors
    /// [`CallError`]; whichever it is, the question stays open.
    pub(crate) async fn ask(&self, question: &Question, now_ms: i64) -> Result<Answer, CallError> {
        let metric = Metric {
            transaction_type: TRANSACTION_TYPE,
            duration_ms: 0,
            success: true,
            order_id: &question.order_id,
            customer_id: &question.customer_id,
            amount_minor: question.amount_minor.max(0),
            line_count: question.line_count,
            shipping_country: question.shipping_country.as_deref(),
            billing_country: question.billing_country.as_deref(),
            occurred_at: decide::told_placed_at_ms(question.placed_at_ms, now_ms).map(clock::from_ms),
        };
        self.0.post_once("/metrics", &metric).await
    }

    /// Tells how an order ended. Told twice it is known once.
    ///
    /// # Errors
    /// [`CallError`]; whichever it is, the report stays.
    pub(crate) async fn tell(&self, report: &Report) -> Result<(), CallError> {
        let Report { order_id, transaction_type, duration_ms, success, .. } = report;
        let ended = Ended { transaction_type, duration_ms: *duration_ms, success: *success, order_id };
        self.0.post_once::<_, IgnoredAny>("/metrics", &ended).await.map(drop)
    }
}
