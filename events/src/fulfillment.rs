//! Facts about goods on their way, out and back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::fact;
use crate::id::{OrderId, ReturnId, ShipmentId};
use crate::line::{Ledger, OrderLine, StockLine, check_order_lines, check_stock_lines};

/// OMS asks the warehouse to ship: stock is firm, the invoice issued, the risk clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FulfillmentRequested {
    /// Which order.
    pub order_id: OrderId,
    /// What to ship, with the ledger each line is kept by.
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<OrderLine>,
}
fact!(FulfillmentRequested, "fulfillment.requested.v1", Fulfillment, check: |fact| check_order_lines(&fact.lines));

/// A shipment was planned; an order has one per ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentCreated {
    /// Which order.
    pub order_id: OrderId,
    /// Which shipment.
    pub shipment_id: ShipmentId,
    /// Whose units.
    pub ledger: Ledger,
    /// What is in it.
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<StockLine>,
    /// Where it is picked.
    pub location: String,
}
fact!(ShipmentCreated, "fulfillment.shipment_created.v1", Fulfillment,
    check: |fact| check_stock_lines(&fact.lines));

/// The shipment left the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentDispatched {
    /// Which order.
    pub order_id: OrderId,
    /// Which shipment.
    pub shipment_id: ShipmentId,
    /// Whose units left.
    pub ledger: Ledger,
    /// What left.
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<StockLine>,
    /// Who carries it.
    pub carrier: String,
    /// The carrier's number for it.
    pub tracking_number: String,
}
fact!(ShipmentDispatched, "fulfillment.shipment_dispatched.v1", Fulfillment,
    check: |fact| check_stock_lines(&fact.lines),
    extensions: |fact| [("ledger", fact.ledger.as_str())]);

/// The shipment reached the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentDelivered {
    /// Which order.
    pub order_id: OrderId,
    /// Which shipment.
    pub shipment_id: ShipmentId,
    /// Whose units arrived.
    pub ledger: Ledger,
}
fact!(ShipmentDelivered, "fulfillment.shipment_delivered.v1", Fulfillment);

/// Nothing was or will be shipped for the order: it was stopped before dispatch, or its goods cannot be located.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentFailed {
    /// Which order.
    pub order_id: OrderId,
    /// Stable code: `stopped`, `unknown_location`.
    pub code: String,
    /// One sentence without personal data.
    pub reason: String,
}
fact!(ShipmentFailed, "fulfillment.shipment_failed.v1", Fulfillment);

/// The customer wants to send lines back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReturnRequested {
    /// Which order.
    pub order_id: OrderId,
    /// Which return.
    pub return_id: ReturnId,
    /// What comes back, with the ledger each line belongs to.
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<OrderLine>,
    /// One sentence without personal data.
    pub reason: String,
}
fact!(ReturnRequested, "fulfillment.return_requested.v1", Fulfillment, check: |fact| check_order_lines(&fact.lines));

/// Goods came back and were inspected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReturnReceived {
    /// Which order.
    pub order_id: OrderId,
    /// Which return.
    pub return_id: ReturnId,
    /// Whose units.
    pub ledger: Ledger,
    /// What may be sold again.
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<StockLine>,
}
fact!(ReturnReceived, "fulfillment.return_received.v1", Fulfillment,
    check: |fact| check_stock_lines(&fact.lines),
    extensions: |fact| [("ledger", fact.ledger.as_str())]);
