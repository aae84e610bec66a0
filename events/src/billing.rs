//! Facts about money owed, earned and given back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{FieldError, fact};
use crate::id::{CustomerId, InvoiceId, OrderId, RefundId, ShipmentId};
use crate::line::{OrderLine, check_order_lines};
use crate::money::Money;

/// Checkout asks accounting to invoice a confirmed order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceRequested {
    /// Which order.
    pub order_id: OrderId,
    /// Who pays.
    pub customer_id: CustomerId,
    /// What was bought, at catalogue prices.
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<OrderLine>,
    /// Taken off the sum of the lines.
    pub discount: Money,
    /// What is to be paid.
    pub total: Money,
}
fact!(InvoiceRequested, "billing.invoice_requested.v1", Billing, check: |fact| {
    check_order_lines(&fact.lines)?;
    fact.discount.check("discount")?;
    not_negative(&fact.total, "total")
});

/// The invoice is in the books; one per order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceIssued {
    /// Which order.
    pub order_id: OrderId,
    /// Which invoice.
    pub invoice_id: InvoiceId,
    /// What is to be paid.
    pub total: Money,
}
fact!(InvoiceIssued, "billing.invoice_issued.v1", Billing, check: |fact| not_negative(&fact.total, "total"));

/// The customer cannot be invoiced. Final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceFailed {
    /// Which order.
    pub order_id: OrderId,
    /// Stable code: `no_billing_profile`, `account_closed`, `order_cancelled`.
    pub code: String,
    /// One sentence without personal data.
    #[schemars(extend("x-personal" = "free-text"))]
    pub reason: String,
}
fact!(InvoiceFailed, "billing.invoice_failed.v1", Billing);

/// Goods left the house, so their price is earned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevenueRecognized {
    /// Which order.
    pub order_id: OrderId,
    /// Against which invoice.
    pub invoice_id: InvoiceId,
    /// For which shipment.
    pub shipment_id: ShipmentId,
    /// How much.
    pub amount: Money,
}
fact!(RevenueRecognized, "billing.revenue_recognized.v1", Billing, check: |fact| not_negative(&fact.amount, "amount"));

/// OMS asks accounting to give money back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefundRequested {
    /// Which order.
    pub order_id: OrderId,
    /// Which refund; the same id is paid once.
    pub refund_id: RefundId,
    /// How much.
    pub amount: Money,
    /// One sentence without personal data.
    #[schemars(extend("x-personal" = "free-text"))]
    pub reason: String,
    /// The shipment that never arrived, if that is why: its revenue is taken back. Absent: what was sold came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment_id: Option<ShipmentId>,
}
fact!(RefundRequested, "billing.refund_requested.v1", Billing, check: |fact| not_negative(&fact.amount, "amount"));

/// A credit note was issued and the money given back; one per refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefundIssued {
    /// Which order.
    pub order_id: OrderId,
    /// Whose money.
    pub customer_id: CustomerId,
    /// Which refund.
    pub refund_id: RefundId,
    /// The credit note that reverses the invoice or a part of it.
    pub credit_note_id: InvoiceId,
    /// How much.
    pub amount: Money,
}
fact!(RefundIssued, "billing.refund_issued.v1", Billing, check: |fact| not_negative(&fact.amount, "amount"));

fn not_negative(amount: &Money, path: &str) -> Result<(), FieldError> {
    amount.check(path)?;
    if amount.is_negative() { Err(FieldError::new(path, "must not be negative")) } else { Ok(()) }
}
