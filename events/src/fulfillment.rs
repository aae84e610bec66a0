//! Facts about goods on their way, out and back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{FieldError, fact};
use crate::id::{OrderId, ProductId, ReturnId, ShipmentId};
use crate::line::{
    Ledger, MAX_LINES, MAX_QUANTITY, OrderLine, StockLine, check_order_lines, check_some_stock_lines,
    check_stock_lines, some_stock_lines,
};

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

/// A shipment was planned. An order has one for everything of the inventory ledger, and one for each freight product.
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

/// The shipment left the house. Said once more when it leaves again after a failed delivery.
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
    /// The carrier's number for it; another one for each delivery that is tried.
    pub tracking_number: String,
    /// Which delivery this is, the first being 1. Absent: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub attempt: Option<u32>,
}
fact!(ShipmentDispatched, "fulfillment.shipment_dispatched.v1", Fulfillment,
    check: |fact| {
        check_stock_lines(&fact.lines)?;
        if fact.attempt == Some(0) { Err(FieldError::new("attempt", "must be at least 1")) } else { Ok(()) }
    },
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
    /// What arrived. Absent: everything of the ledger.
    #[serde(default, deserialize_with = "some_stock_lines", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<StockLine>,
}
fact!(ShipmentDelivered, "fulfillment.shipment_delivered.v1", Fulfillment,
    check: |fact| check_some_stock_lines(&fact.lines, "lines"));

/// Nothing was or will be shipped for the order: it was stopped before dispatch, or its goods cannot be located. With a shipment: that one
/// left, and its last delivery failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShipmentFailed {
    /// Which order.
    pub order_id: OrderId,
    /// Stable code: `stopped`, `unknown_location`; `undeliverable` for a shipment that left.
    pub code: String,
    /// One sentence without personal data.
    #[schemars(extend("x-personal" = "free-text"))]
    pub reason: String,
    /// Which shipment failed. Absent: the whole order, of which nothing left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment_id: Option<ShipmentId>,
    /// Whose units were in it; there with `shipmentId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// What was in it; there with `shipmentId`.
    #[serde(default, deserialize_with = "some_stock_lines", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<StockLine>,
}
fact!(ShipmentFailed, "fulfillment.shipment_failed.v1", Fulfillment, check: |fact| {
    check_some_stock_lines(&fact.lines, "lines")?;
    let parts = [fact.shipment_id.is_some(), fact.ledger.is_some(), !fact.lines.is_empty()];
    if parts.iter().all(|part| *part) || !parts.iter().any(|part| *part) {
        return Ok(());
    }
    Err(FieldError::new("shipmentId", "must come with ledger and lines, or not at all"))
});

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
    #[schemars(extend("x-personal" = "free-text"))]
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
    /// What came back beside it and may not be sold again.
    #[serde(default, deserialize_with = "some_stock_lines", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 100))]
    pub scrapped: Vec<StockLine>,
}
fact!(ReturnReceived, "fulfillment.return_received.v1", Fulfillment,
    check: |fact| {
        check_stock_lines(&fact.lines)?;
        check_some_stock_lines(&fact.scrapped, "scrapped")
    },
    extensions: |fact| [("ledger", fact.ledger.as_str())]);

/// How a return ended in the warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnOutcome {
    /// The goods came and were inspected.
    Received,
    /// They did not come in time.
    Lapsed,
}

/// What became of one product of a return. Its units add up to what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InspectedLine {
    /// Which product.
    pub product_id: ProductId,
    /// Whose units.
    pub ledger: Ledger,
    /// Units that may be sold again.
    #[schemars(range(max = 10_000))]
    pub restocked: u32,
    /// Units that may not, by no fault of the customer.
    #[schemars(range(max = 10_000))]
    pub scrapped: u32,
    /// Units that may not, as the customer damaged them.
    #[schemars(range(max = 10_000))]
    pub damaged: u32,
    /// Units that did not come.
    #[schemars(range(max = 10_000))]
    pub missing: u32,
}

/// A return ended in the warehouse: inspected, or given up. Said once per return and outcome: goods that come after they were given up are
/// inspected like others. What may be sold again is said per ledger, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReturnClosed {
    /// Which order.
    pub order_id: OrderId,
    /// Which return.
    pub return_id: ReturnId,
    /// How it ended.
    pub outcome: ReturnOutcome,
    /// What became of each product.
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<InspectedLine>,
}
fact!(ReturnClosed, "fulfillment.return_closed.v1", Fulfillment, check: |fact| {
    if !(1..=MAX_LINES).contains(&fact.lines.len()) {
        return Err(FieldError::new("lines", format!("must hold 1 to {MAX_LINES} lines")));
    }
    for (index, line) in fact.lines.iter().enumerate() {
        let units =
            [("restocked", line.restocked), ("scrapped", line.scrapped), ("damaged", line.damaged), ("missing", line.missing)];
        for (name, units) in units {
            if units > MAX_QUANTITY {
                return Err(FieldError::new(format!("lines[{index}].{name}"), format!("must be at most {MAX_QUANTITY}")));
            }
        }
    }
    Ok(())
});
