//! Lines of an order, and the stock ledgers they are taken from.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

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

/// Checks count, quantities, of each line and of each product, and prices of order lines.
pub(crate) fn check_order_lines(lines: &[OrderLine]) -> Result<(), FieldError> {
    check_quantities(lines.iter().map(|line| line.quantity))?;
    for (index, line) in lines.iter().enumerate() {
        let before = lines[..index].iter().filter(|other| other.product_id == line.product_id);
        // At most 100 lines of 10,000: the sum fits.
        if before.map(|other| other.quantity).sum::<u32>() + line.quantity > MAX_QUANTITY {
            let problem = format!("must be at most {MAX_QUANTITY} with the lines of its product before it");
            return Err(FieldError::new(format!("lines[{index}].quantity"), problem));
        }
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

/// Stock lines that may be absent, and are not empty when they are there.
pub(crate) fn some_stock_lines<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<StockLine>, D::Error> {
    let lines = Vec::deserialize(deserializer)?;
    if lines.is_empty() { Err(serde::de::Error::custom("must not be empty")) } else { Ok(lines) }
}

/// Checks stock lines that may be absent.
pub(crate) fn check_some_stock_lines(lines: &[StockLine], path: &str) -> Result<(), FieldError> {
    if lines.is_empty() { Ok(()) } else { check_quantities_at(path, lines.iter().map(|line| line.quantity)) }
}

fn check_quantities(quantities: impl ExactSizeIterator<Item = u32>) -> Result<(), FieldError> {
    check_quantities_at("lines", quantities)
}

fn check_quantities_at(path: &str, quantities: impl ExactSizeIterator<Item = u32>) -> Result<(), FieldError> {
    if !(1..=MAX_LINES).contains(&quantities.len()) {
        return Err(FieldError::new(path, format!("must hold 1 to {MAX_LINES} lines")));
    }
    for (index, quantity) in quantities.enumerate() {
        if !(1..=MAX_QUANTITY).contains(&quantity) {
            return Err(FieldError::new(format!("{path}[{index}].quantity"), format!("must be 1 to {MAX_QUANTITY}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_no_more_units_of_a_product_than_one_line_may_have() {
        let line = |id: &str, quantity| OrderLine {
            product_id: id.parse().unwrap(),
            quantity,
            unit_price: Money::from_minor(100),
            ledger: Ledger::Inventory,
        };
        let full = [line("A", 9_999), line("B", MAX_QUANTITY), line("A", 1)];
        assert_eq!(check_order_lines(&full), Ok(()));
        let over = [line("A", 9_999), line("B", 1), line("A", 2)];
        let error = check_order_lines(&over).expect_err("10,001 units of A");
        assert_eq!(error.path, "lines[2].quantity");
    }
}
