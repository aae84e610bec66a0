//! Facts about stock: holds made at checkout and what the ledgers made of them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::fact;
use crate::id::{OrderId, ProductId, ReservationId};
use crate::line::{Ledger, StockLine, check_stock_lines};

/// Checkout holds units in one ledger until a deadline; the ledger is asked to make the hold firm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockReserved {
    /// Which order.
    pub order_id: OrderId,
    /// Which hold.
    pub reservation_id: ReservationId,
    /// In which ledger.
    pub ledger: Ledger,
    /// What is held.
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<StockLine>,
    /// When the hold lapses unless it is made firm.
    pub expires_at: Timestamp,
}
fact!(StockReserved, "inventory.stock_reserved.v1", Inventory,
    check: |fact| check_stock_lines(&fact.lines),
    extensions: |fact| [("ledger", fact.ledger.as_str())]);

/// Every line of the hold is firm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockCommitted {
    /// Which order.
    pub order_id: OrderId,
    /// Which hold.
    pub reservation_id: ReservationId,
    /// In which ledger.
    pub ledger: Ledger,
    /// What is firm.
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<StockLine>,
}
fact!(StockCommitted, "inventory.stock_committed.v1", Inventory,
    check: |fact| check_stock_lines(&fact.lines));

/// Units wanted and units there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shortage {
    /// Which product.
    pub product_id: ProductId,
    /// Units asked for.
    pub wanted: u32,
    /// Units that could be had.
    pub available: u32,
}

/// The hold could not be made firm; nothing of it is held any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockRejected {
    /// Which order.
    pub order_id: OrderId,
    /// Which hold.
    pub reservation_id: ReservationId,
    /// In which ledger.
    pub ledger: Ledger,
    /// What was missing.
    pub shortages: Vec<Shortage>,
}
fact!(StockRejected, "inventory.stock_rejected.v1", Inventory);

/// Units of a cancelled order are for sale again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockReleased {
    /// Which order.
    pub order_id: OrderId,
    /// In which ledger.
    pub ledger: Ledger,
    /// What was released.
    #[schemars(length(min = 1, max = 100))]
    pub lines: Vec<StockLine>,
}
fact!(StockReleased, "inventory.stock_released.v1", Inventory,
    check: |fact| check_stock_lines(&fact.lines));

/// A product fell below its threshold when the order's units became firm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockLow {
    /// The order that took the units.
    pub order_id: OrderId,
    /// In which ledger.
    pub ledger: Ledger,
    /// Which product.
    pub product_id: ProductId,
    /// Units still for sale.
    pub available: u32,
    /// The threshold it fell below, in units.
    pub threshold: u32,
}
fact!(StockLow, "inventory.stock_low.v1", Inventory);
