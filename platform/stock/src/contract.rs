//! What a ledger is asked and what it answers over REST; its callers use these types, too.

use events::line::{MAX_LINES, MAX_QUANTITY};
use events::{FieldError, Money, OrderId, ProductId, ReservationId, StockLine, Timestamp};
use runtime::openapi::{line, optional_line};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::{MAX_BULK, MAX_PRICE_MINOR, MAX_STOCK_LEVEL, MAX_TEXT_CHARS};

/// A product and its units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Which product.
    pub product_id: ProductId,
    /// Its name in the shop.
    pub name: String,
    /// Its category in the shop.
    pub category: String,
    /// Price of one unit.
    pub unit_price: Money,
    /// Where it is picked.
    pub location: String,
    /// Units in the house.
    pub stock_level: u32,
    /// Units of these that are held.
    pub reserved: u32,
    /// Units of these that are for sale.
    pub available: u32,
    /// When any of this last changed.
    pub last_updated: Timestamp,
}

/// A page of products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// Products in the ledger; of those asked for by id, how many there are.
    pub total: u64,
    /// The products, by id.
    pub data: Vec<Item>,
    /// `after` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<ProductId>,
}

/// A price as a schema: of the shop's currency, not negative, in whole cents, at most [`MAX_PRICE_MINOR`].
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is looked at: prices are read as money, and checked")]
struct UnitPrice {
    #[schemars(regex(pattern = "^USD$"))]
    currency_code: String,
    /// Whole dollars.
    #[schemars(range(max = MAX_PRICE_MINOR / 100))]
    units: u64,
    /// Billionths of a dollar, in whole cents.
    #[schemars(range(max = 990_000_000), extend("multipleOf" = 10_000_000))]
    nanos: u32,
}

/// Units to reserve or release by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quantity {
    /// How many. 1..=[`MAX_STOCK_LEVEL`].
    #[schemars(range(min = 1, max = MAX_STOCK_LEVEL))]
    pub quantity: u32,
}

/// A change of one product; what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemChange {
    /// Units in the house. 0..=[`MAX_STOCK_LEVEL`].
    #[schemars(range(max = MAX_STOCK_LEVEL))]
    pub stock_level: u32,
    /// Name; needed for a product that is not there yet.
    #[serde(default)]
    #[schemars(schema_with = "optional_line::<MAX_TEXT_CHARS>")]
    pub name: Option<String>,
    /// Category.
    #[serde(default)]
    #[schemars(schema_with = "optional_line::<MAX_TEXT_CHARS>")]
    pub category: Option<String>,
    /// Price of one unit, in whole cents; needed for a product that is not there yet.
    #[schemars(with = "Option<UnitPrice>")]
    pub unit_price: Option<Money>,
    /// Where it is picked.
    #[serde(default)]
    #[schemars(schema_with = "optional_line::<MAX_TEXT_CHARS>")]
    pub location: Option<String>,
    /// Below this many units for sale the product is low. 0 for never.
    #[schemars(range(max = MAX_STOCK_LEVEL))]
    pub low_threshold: Option<u32>,
}

/// A product that is to be there, whether it was or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemUpsert {
    /// Which product.
    pub product_id: ProductId,
    /// Name.
    #[schemars(schema_with = "line::<MAX_TEXT_CHARS>")]
    pub name: String,
    /// Category.
    #[schemars(schema_with = "line::<MAX_TEXT_CHARS>")]
    pub category: String,
    /// Price of one unit, in whole cents.
    #[schemars(with = "UnitPrice")]
    pub unit_price: Money,
    /// Units in the house. Absent: as they are, 0 for a new product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_STOCK_LEVEL))]
    pub stock_level: Option<u32>,
    /// Where it is picked. Absent: as it is, the ledger's own place for a new product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "optional_line::<MAX_TEXT_CHARS>")]
    pub location: Option<String>,
}

/// Products to put, all or none.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Bulk(
    /// 1 to 500.
    #[schemars(length(min = 1, max = MAX_BULK))]
    pub Vec<ItemUpsert>,
);

/// How many products were put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Upserted {
    /// All that were asked for.
    pub upserted: usize,
}

/// Units to hold for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReservationRequest {
    /// For which order.
    pub order_id: OrderId,
    /// Which hold; minted by the caller, so that asking twice holds once.
    pub reservation_id: ReservationId,
    /// When it lapses unless it is made firm.
    pub expires_at: Timestamp,
    /// What to hold. 1..=[`MAX_LINES`].
    #[schemars(length(min = 1, max = MAX_LINES))]
    pub lines: Vec<StockLine>,
}

/// Units are held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// Which hold.
    pub reservation_id: ReservationId,
    /// For which order.
    pub order_id: OrderId,
    /// When it lapses unless it is made firm.
    pub expires_at: Timestamp,
}

impl Quantity {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`FieldError`].
    pub fn check(self) -> Result<(), FieldError> {
        if (1..=MAX_STOCK_LEVEL).contains(&self.quantity) {
            return Ok(());
        }
        Err(FieldError::new("quantity", format!("must be 1 to {MAX_STOCK_LEVEL}")))
    }
}

impl ItemChange {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`FieldError`] naming the first field out of bounds.
    pub fn check(&self) -> Result<(), FieldError> {
        check_units(self.stock_level, "stockLevel")?;
        check_units(self.low_threshold.unwrap_or_default(), "lowThreshold")?;
        for (text, path) in [(&self.name, "name"), (&self.category, "category"), (&self.location, "location")] {
            text.as_deref().map_or(Ok(()), |text| check_text(text, path))?;
        }
        self.unit_price.as_ref().map_or(Ok(()), |price| price_minor(price, "unitPrice").map(|_| ()))
    }
}

impl ItemUpsert {
    /// Checks the bounds; `path` is the product's place in a list, `[3]`, or empty for the only one.
    ///
    /// # Errors
    /// [`FieldError`] naming the first field out of bounds.
    pub fn check(&self, path: &str) -> Result<(), FieldError> {
        check_text(&self.name, &below(path, "name"))?;
        check_text(&self.category, &below(path, "category"))?;
        self.location.as_deref().map_or(Ok(()), |text| check_text(text, &below(path, "location")))?;
        check_units(self.stock_level.unwrap_or_default(), &below(path, "stockLevel"))?;
        price_minor(&self.unit_price, &below(path, "unitPrice")).map(|_| ())
    }
}

impl ReservationRequest {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`FieldError`] naming the first field out of bounds.
    pub fn check(&self) -> Result<(), FieldError> {
        if !(1..=MAX_LINES).contains(&self.lines.len()) {
            return Err(FieldError::new("lines", format!("must hold 1 to {MAX_LINES} lines")));
        }
        match self.lines.iter().position(|line| !(1..=MAX_QUANTITY).contains(&line.quantity)) {
            None => Ok(()),
            Some(index) => {
                Err(FieldError::new(format!("lines[{index}].quantity"), format!("must be 1 to {MAX_QUANTITY}")))
            }
        }
    }
}

/// The path of a field below `path`.
pub(crate) fn below(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// A price in cents: of the shop's currency, not negative, whole cents, at most [`MAX_PRICE_MINOR`].
///
/// # Errors
/// [`FieldError`] at or below `path`.
pub fn price_minor(price: &Money, path: &str) -> Result<i64, FieldError> {
    price.check(path)?;
    let refuse = |problem: &str| Err(FieldError::new(path, problem));
    if price.currency_code != events::money::SHOP_CURRENCY {
        return refuse("must be in the shop's currency");
    }
    match price.minor() {
        Ok(minor) if !(0..=MAX_PRICE_MINOR).contains(&minor) => refuse("is out of range"),
        Ok(minor) if Money::from_minor(minor) != *price => refuse("must be in whole cents"),
        Ok(minor) => Ok(minor),
        Err(_) => refuse("is out of range"),
    }
}

/// Checks a name, category or location: 1..=[`MAX_TEXT_CHARS`] characters, not only spaces, nothing invisible.
///
/// # Errors
/// [`FieldError`] at `path`.
pub fn check_text(text: &str, path: &str) -> Result<(), FieldError> {
    let fits = !text.trim().is_empty() && text.chars().count() <= MAX_TEXT_CHARS && !text.chars().any(char::is_control);
    if fits {
        Ok(())
    } else {
        Err(FieldError::new(path, format!("must be 1 to {MAX_TEXT_CHARS} printable characters")))
    }
}

/// Checks a number of units: at most [`MAX_STOCK_LEVEL`].
///
/// # Errors
/// [`FieldError`] at `path`.
pub fn check_units(units: u32, path: &str) -> Result<(), FieldError> {
    if units <= MAX_STOCK_LEVEL {
        Ok(())
    } else {
        Err(FieldError::new(path, format!("must be 0 to {MAX_STOCK_LEVEL}")))
    }
}
