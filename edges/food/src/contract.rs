//! What the catalogue is asked and what it answers over REST.

use events::{FieldError, Money, ProductId, Timestamp};
use runtime::openapi::line;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stock::contract::{ItemUpsert, check_text, check_units, price_minor};
use stock::decimal::Decimal;
use stock::limits::{MAX_STOCK_LEVEL, MAX_TEXT_CHARS};

/// Something to eat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Food {
    /// Its number. 1 and up, never used twice.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its category.
    pub category: String,
    /// Price of one, in dollars with two decimals.
    pub price: Decimal,
    /// Whether it is on the menu; units in stock are another question.
    pub available: bool,
    /// Its product in inventory, `FOOD-<id>`.
    pub product_id: ProductId,
}

/// Food to be made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewFood {
    /// Its name.
    #[schemars(schema_with = "line::<MAX_TEXT_CHARS>")]
    pub name: String,
    /// Its category.
    #[schemars(schema_with = "line::<MAX_TEXT_CHARS>")]
    pub category: String,
    /// Price of one, in dollars with at most two decimals.
    pub price: Decimal,
    /// Whether it is on the menu. Absent: it is.
    #[serde(default = "on_the_menu")]
    pub available: bool,
    /// Units in inventory. Absent: as they are, 0 for new food.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_STOCK_LEVEL))]
    pub stock_level: Option<u32>,
}

/// Food after it was made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Saved {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its category.
    pub category: String,
    /// Price of one, in dollars with two decimals.
    pub price: Decimal,
    /// Whether it is on the menu.
    pub available: bool,
    /// Its product in inventory.
    pub product_id: ProductId,
    /// Whether inventory knows of it; if not, it is told as soon as it can be reached.
    pub inventory_synced: bool,
}

/// A page of food, with what inventory says about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoodPage {
    /// The food, by number.
    pub food_items: Vec<Food>,
    /// What inventory says.
    pub inventory_check: InventoryCheck,
    /// `after` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// What inventory says about a page of food.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryCheck {
    /// Whether inventory could be asked.
    pub checked: bool,
    /// What it has; empty when it could not be asked.
    pub inventory_items: Vec<InventoryItem>,
    /// When it was asked.
    pub timestamp: Timestamp,
}

/// Units of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryItem {
    /// Which product.
    pub product_id: ProductId,
    /// Units in the house.
    pub stock_level: u32,
    /// Units of these that are for sale.
    pub available: u32,
}

fn on_the_menu() -> bool {
    true
}

impl NewFood {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`FieldError`] naming the first field out of bounds.
    pub(crate) fn check(&self) -> Result<(), FieldError> {
        check_text(&self.name, "name")?;
        check_text(&self.category, "category")?;
        check_units(self.stock_level.unwrap_or_default(), "stockLevel")?;
        price_minor(&Money::from_minor(self.price.0), "price").map(|_| ())
    }
}

impl Food {
    /// The product it is in inventory.
    pub(crate) fn product(&self, stock_level: Option<u32>) -> ItemUpsert {
        ItemUpsert {
            product_id: self.product_id.clone(),
            name: self.name.clone(),
            category: self.category.clone(),
            unit_price: Money::from_minor(self.price.0),
            stock_level,
            location: None,
        }
    }

    /// The answer to a change.
    pub(crate) fn saved(self, inventory_synced: bool) -> Saved {
        let Self { id, name, category, price, available, product_id } = self;
        Saved { id, name, category, price, available, product_id, inventory_synced }
    }
}

/// The answer to a deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// Which it was.
    pub message: String,
}
