//! What the catalogue is asked and what it answers over REST.

use events::{FieldError, Money, ProductId};
use runtime::openapi::line;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stock::contract::{Item, ItemUpsert};
use stock::decimal::Decimal;
use stock::keeper;
use stock::limits::{MAX_STOCK_LEVEL, MAX_TEXT_CHARS};

/// A piece of furniture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Furniture {
    /// Its number. 1 and up, never used twice.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its category.
    pub category: String,
    /// Price of one, in dollars with two decimals.
    pub price: Decimal,
    /// Its product in the ledger, `FURN-<id>`.
    pub product_id: ProductId,
    /// Units in the house.
    pub stock_level: u32,
    /// Units of these that are for sale.
    pub available: u32,
}

/// A piece of furniture to be made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewFurniture {
    /// Its name.
    #[schemars(schema_with = "line::<MAX_TEXT_CHARS>")]
    pub name: String,
    /// Its category.
    #[schemars(schema_with = "line::<MAX_TEXT_CHARS>")]
    pub category: String,
    /// Price of one, in dollars with at most two decimals.
    pub price: Decimal,
    /// Units in the house. Absent: as they are, 0 for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MAX_STOCK_LEVEL))]
    pub stock_level: Option<u32>,
}

impl NewFurniture {
    /// The product it is in the ledger.
    ///
    /// # Errors
    /// [`FieldError`] naming the first field out of bounds.
    pub(crate) fn product(self, product_id: ProductId) -> Result<ItemUpsert, FieldError> {
        let unit_price = Money::from_minor(self.price.0);
        let Self { name, category, stock_level, .. } = self;
        let product = ItemUpsert { product_id, name, category, unit_price, stock_level, location: None };
        product.check("")?;
        Ok(product)
    }
}

impl Furniture {
    /// The furniture that a product of the ledger is; `None` for a product that is none.
    pub(crate) fn of(item: Item) -> Option<Self> {
        Some(Self {
            id: keeper::furniture_number(&item.product_id)?,
            price: Decimal(item.unit_price.minor().ok()?),
            name: item.name,
            category: item.category,
            product_id: item.product_id,
            stock_level: item.stock_level,
            available: item.available,
        })
    }
}

/// The answer to a deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// Which it was.
    pub message: String,
}
