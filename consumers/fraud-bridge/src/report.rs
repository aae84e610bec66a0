//! What the fraud engine is told about an order that ended.

use events::OrderId;

/// How an order ended, on its way to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) order_id: OrderId,
    /// One of [`COMPLETED`], [`CANCELLED`], [`FRAUD`].
    pub(crate) transaction_type: String,
    /// From the order's confirmation to its end, in milliseconds.
    pub(crate) duration_ms: i64,
    pub(crate) success: bool,
    /// How often the engine was told in vain.
    pub(crate) attempts: u32,
    /// When the bridge heard of it, in milliseconds since the Unix epoch.
    pub(crate) created_at_ms: i64,
}

/// Everything was delivered.
pub(crate) const COMPLETED: &str = "order.completed";
/// It was cancelled.
pub(crate) const CANCELLED: &str = "order.cancelled";
/// It was cancelled as fraud.
pub(crate) const FRAUD: &str = "order.fraud_confirmed";
