//! Lines of an order, and the stock ledgers they are taken from.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::FieldError;
use crate::id::ProductId;
use crate::money::{Money, MoneyError};

/// The most lines an order may have.
pub const MAX_LINES: usize = 100;
/// The most units of one product an order may have.
pub const MAX_QUANTITY: u32 = 10_000;

/// A stock ledger: who keeps the units of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ledger {
    /// Standard products and food, kept by the inventory service.
    Inventory,
    /// Freight, kept by the furniture service.
    Furniture,
}

impl Ledger {
    /// Every ledger there is.
    pub const ALL: [Ledger; 2] = [Ledger::Inventory, Ledger::Furniture];

    /// The ledger's wire name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Ledger::Inventory => "inventory",
            Ledger::Furniture => "furniture",
        }
    }
}

impl FromStr for Ledger {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Ledger::ALL
            .into_iter()
            .find(|ledger| ledger.as_str() == text)
            .ok_or_else(|| FieldError::new("ledger", "is not a stock ledger"))
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One product of an order at the price it was sold for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderLine {
    /// What was bought.
    pub product_id: ProductId,
    /// How many units. 1..=10,000.
    #[schemars(range(min = 1, max = 10_000))]
    pub quantity: u32,
    /// Price of one unit, from the catalogue.
    pub unit_price: Money,
    /// Which ledger the units are taken from.
    pub ledger: Ledger,
}

impl OrderLine {
    /// Price of all its units.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when it does not fit.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.unit_price.times(self.quantity)
    }

    /// The line as stock sees it.
    #[must_use]
    pub fn stock(&self) -> StockLine {
        StockLine { product_id: self.product_id.clone(), quantity: self.quantity }
    }
}

/// Units of one product, without a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockLine {
    /// Which product.
    pub product_id: ProductId,
    /// How many units. 1..=10,000.
    #[schemars(range(min = 1, max = 10_000))]
    pub quantity: u32,
}

/// The sum of all lines, nothing for none.
///
/// # Errors
/// [`MoneyError`] when currencies differ or the sum does not fit.
pub fn subtotal(lines: &[OrderLine]) -> Result<Money, MoneyError> {
    lines.iter().try_fold(Money::zero(), |sum, line| sum.plus(&line.total()?))
}

/// Checks count, quantities and prices of order lines.
pub(crate) fn check_order_lines(lines: &[OrderLine]) -> Result<(), FieldError> {
    check_quantities(lines.iter().map(|line| line.quantity))?;
    for (index, line) in lines.iter().enumerate() {
        line.unit_price.check(&format!("lines[{index}].unitPrice"))?;
        if line.unit_price.is_negative() {
            return Err(FieldError::new(format!("lines[{index}].unitPrice"), "must not be negative"));
        }
    }
    Ok(())
}

/// Checks count and quantities of stock lines.
pub(crate) fn check_stock_lines(lines: &[StockLine]) -> Result<(), FieldError> {
    check_quantities(lines.iter().map(|line| line.quantity))
}

fn check_quantities(quantities: impl ExactSizeIterator<Item = u32>) -> Result<(), FieldError> {
    if !(1..=MAX_LINES).contains(&quantities.len()) {
        return Err(FieldError::new("lines", format!("must hold 1 to {MAX_LINES} lines")));
    }
    for (index, quantity) in quantities.enumerate() {
        if !(1..=MAX_QUANTITY).contains(&quantity) {
            return Err(FieldError::new(format!("lines[{index}].quantity"), format!("must be 1 to {MAX_QUANTITY}")));
        }
    }
    Ok(())
}
