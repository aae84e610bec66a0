//! Facts about an order as a whole: said by checkout at its birth and by OMS for the rest of its life.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{FieldError, fact};
use crate::id::{CustomerId, OrderId};
use crate::line::{Ledger, OrderLine, check_order_lines};
use crate::money::Money;
use crate::risk::RiskLevel;

/// The client was told that the order is confirmed; stock is held, nothing is billed or shipped yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderConfirmed {
    /// Which order.
    pub order_id: OrderId,
    /// Whose order.
    pub customer_id: CustomerId,
    /// What was bought, at catalogue prices.
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<OrderLine>,
    /// Loyalty discount taken off the sum of the lines.
    pub discount: Money,
    /// What the customer pays: the sum of the lines less the discount.
    pub total: Money,
    /// What the fraud engine said at checkout; `UNKNOWN` when it could not be reached.
    pub risk: RiskLevel,
    /// Where the goods go, ISO 3166-1 alpha-2. Told with an unknown risk only, for whoever has it scored later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Z]{2}$"), extend("x-personal" = "coarse"))]
    pub shipping_country: Option<String>,
    /// Where the bill goes, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Z]{2}$"), extend("x-personal" = "coarse"))]
    pub billing_country: Option<String>,
}
fact!(OrderConfirmed, "order.confirmed.v1", Orders,
    check: |fact| {
        check_order_lines(&fact.lines)?;
        check_country(fact.shipping_country.as_deref(), "shippingCountry")?;
        check_country(fact.billing_country.as_deref(), "billingCountry")?;
        fact.discount.check("discount")?;
        fact.total.check("total")
    },
    extensions: |fact| [("risk", fact.risk.as_str())]);

/// Whether a text is a country as facts name it: two capital letters.
#[must_use]
pub fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
}

fn check_country(country: Option<&str>, path: &str) -> Result<(), FieldError> {
    match country {
        Some(text) if !is_country(text) => Err(FieldError::new(path, "must be two capital letters (ISO 3166-1)")),
        _ => Ok(()),
    }
}

/// Why checkout said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RejectionReason {
    /// Some line is not in stock.
    OutOfStock,
    /// The CRM does not know the customer, or does not let them order.
    UnknownCustomer,
    /// The fraud engine scored the order HIGH.
    HighRisk,
}

/// Checkout refused the order; nothing is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderRejected {
    /// Which order.
    pub order_id: OrderId,
    /// Whose order; `nobody` when the CRM does not know the customer.
    pub customer_id: CustomerId,
    /// Why.
    pub reason: RejectionReason,
    /// One sentence without personal data.
    #[schemars(extend("x-personal" = "free-text"))]
    pub detail: String,
}
fact!(OrderRejected, "order.rejected.v1", Orders);

/// Why an order ended without being delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancellationReason {
    /// A hold had lapsed or the units were gone.
    StockRejected,
    /// The customer cannot be billed.
    InvoiceFailed,
    /// The customer changed their mind before dispatch.
    ByCustomer,
    /// A person or a deadline refused a flagged order.
    FraudConfirmed,
    /// The warehouse stopped or could not ship it. Nothing left the house.
    ShipmentFailed,
    /// All of it left the house and none of it could be delivered. It is on its way back.
    Undeliverable,
}

impl fmt::Display for CancellationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CancellationReason::StockRejected => "stock rejected",
            CancellationReason::InvoiceFailed => "invoice failed",
            CancellationReason::ByCustomer => "cancelled by the customer",
            CancellationReason::FraudConfirmed => "fraud confirmed",
            CancellationReason::ShipmentFailed => "shipment failed",
            CancellationReason::Undeliverable => "undeliverable",
        })
    }
}

/// The order ended undelivered: holds are to be released, an invoice reversed, a payment given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderCancelled {
    /// Which order.
    pub order_id: OrderId,
    /// Why.
    pub reason: CancellationReason,
}
fact!(OrderCancelled, "order.cancelled.v1", Orders);

/// The order waits for a person or a deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderOnHold {
    /// Which order.
    pub order_id: OrderId,
    /// Why, one sentence without personal data.
    #[schemars(extend("x-personal" = "free-text"))]
    pub reason: String,
}
fact!(OrderOnHold, "order.on_hold.v1", Orders);

/// A held order goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderReleased {
    /// Which order.
    pub order_id: OrderId,
    /// The role that released it, `reviewer` or `deadline`.
    pub released_by: String,
}
fact!(OrderReleased, "order.released.v1", Orders);

/// Everything was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderCompleted {
    /// Which order.
    pub order_id: OrderId,
    /// Whose order.
    pub customer_id: CustomerId,
    /// What was paid.
    pub total: Money,
    /// When the last shipment was delivered.
    pub completed_at: Timestamp,
}
fact!(OrderCompleted, "order.completed.v1", Orders, check: |fact| fact.total.check("total"));

/// A step of the order was silent past its deadline. Said once per step; the missing event, when it comes, is what ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderStuck {
    /// Which order.
    pub order_id: OrderId,
    /// Wire type of the event that is missing.
    #[schemars(length(min = 1, max = 128))]
    pub missing_event_type: String,
    /// The ledger the event is about, where an order has one such event per ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// The service that is to say it.
    #[schemars(length(min = 1, max = 64))]
    pub owed_by: String,
    /// Since when the order waits for it.
    pub since: Timestamp,
}
fact!(OrderStuck, "order.stuck.v1", Orders,
check: |fact| {
    check_text("missingEventType", &fact.missing_event_type, MAX_TYPE_CHARS)?;
    check_text("owedBy", &fact.owed_by, MAX_SERVICE_CHARS)
});

/// The longest wire type that is named as missing, in characters.
const MAX_TYPE_CHARS: usize = 128;
/// The longest name of a service that owes an event, in characters.
const MAX_SERVICE_CHARS: usize = 64;

fn check_text(path: &str, text: &str, longest: usize) -> Result<(), FieldError> {
    let length = text.chars().count();
    if (1..=longest).contains(&length) {
        Ok(())
    } else {
        Err(FieldError::new(path, format!("must have 1 to {longest} characters")))
    }
}
