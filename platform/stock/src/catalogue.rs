//! Products come, change and go: the commands behind `PUT /inventory` and the furniture catalogue.

use events::{FieldError, Ledger, ProductId};
use runtime::Problem;
use store::{StoreError, Tx, params};

use crate::contract::{Item, ItemChange, ItemUpsert, below, price_minor};
use crate::{keeper, products};

const SET: &str = "UPDATE stock SET stock_level = ?2, name = COALESCE(?3, name), category = COALESCE(?4, category),
    unit_price_minor = COALESCE(?5, unit_price_minor), location = COALESCE(?6, location),
    low_threshold = COALESCE(?7, low_threshold), updated_at_ms = ?8,
    low_said = CASE WHEN ?2 - reserved >= COALESCE(?7, low_threshold) THEN 0 ELSE low_said END
    WHERE product_id = ?1 AND reserved <= ?2";
const CREATE: &str = "INSERT INTO stock
    (product_id, stock_level, name, category, unit_price_minor, location, low_threshold, updated_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (product_id) DO NOTHING";
const UPSERT: &str = "INSERT INTO stock
    (product_id, stock_level, name, category, unit_price_minor, location, updated_at_ms)
    VALUES (?1, COALESCE(?2, 0), ?3, ?4, ?5, COALESCE(?6, ?7), ?8)
    ON CONFLICT (product_id) DO UPDATE SET stock_level = COALESCE(?2, stock.stock_level), name = excluded.name,
    category = excluded.category, unit_price_minor = excluded.unit_price_minor,
    location = COALESCE(?6, stock.location), updated_at_ms = excluded.updated_at_ms,
    low_said = CASE WHEN COALESCE(?2, stock.stock_level) - stock.reserved >= stock.low_threshold
        THEN 0 ELSE stock.low_said END
    WHERE stock.reserved <= COALESCE(?2, stock.stock_level)";
const REMOVE: &str = "DELETE FROM stock WHERE product_id = ?1 AND reserved = 0";

/// The category of a product nobody gave one.
const DEFAULT_CATEGORY: &str = "General";

/// A product after it was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It was there.
    Changed(Item),
    /// It was not.
    Created(Item),
}

/// Changes a product, or makes it when its name and price are given.
///
/// # Errors
/// 404 for an unknown product without name and price; 409 for fewer units than are held.
pub fn put(tx: &mut Tx<'_>, ledger: Ledger, product_id: &ProductId, change: &ItemChange) -> Result<Put, Problem> {
    let ItemChange { stock_level, name, category, unit_price, location, low_threshold } = change;
    let price = unit_price.as_ref().map(|price| price_minor(price, "unitPrice")).transpose()?;
    let (id, now_ms) = (product_id.as_str(), tx.now_ms());
    let values = params![id, *stock_level, name, category, price, location, *low_threshold, now_ms];
    if tx.execute(SET, values)? == 1 {
        return Ok(Put::Changed(there(tx, product_id)?));
    }
    if products::available(tx, product_id)?.is_some() {
        return Err(below_reserved());
    }
    let (Some(name), Some(price)) = (name, price) else {
        return Err(Problem::not_found("product"));
    };
    keeper::check(ledger, product_id, "productId")?;
    let category = category.as_deref().unwrap_or(DEFAULT_CATEGORY);
    let location = location.as_deref().unwrap_or(keeper::default_location(ledger));
    let threshold = low_threshold.unwrap_or_default();
    tx.execute(CREATE, params![id, *stock_level, name, category, price, location, threshold, now_ms])?;
    Ok(Put::Created(there(tx, product_id)?))
}

/// Puts a product, the one at `path` of a list; an empty path for the only one.
///
/// # Errors
/// 400 for a product of another ledger; 409 for fewer units than are held.
pub fn upsert(tx: &mut Tx<'_>, ledger: Ledger, product: &ItemUpsert, path: &str) -> Result<(), Problem> {
    keeper::check(ledger, &product.product_id, &below(path, "productId"))?;
    let price = price_minor(&product.unit_price, &below(path, "unitPrice"))?;
    let ItemUpsert { product_id, name, category, stock_level, location, .. } = product;
    let (place, now_ms) = (keeper::default_location(ledger), tx.now_ms());
    let values = params![product_id.as_str(), *stock_level, name, category, price, location, place, now_ms];
    if tx.execute(UPSERT, values)? == 1 {
        return Ok(());
    }
    let mut problem = below_reserved();
    let field = FieldError::new(below(path, "stockLevel"), "is below the units held");
    problem.errors = Problem::from(field).errors;
    Err(problem)
}

/// Takes a product out of the ledger.
///
/// # Errors
/// 404 for an unknown product; 409 while units of it are held.
pub fn remove(tx: &mut Tx<'_>, product_id: &ProductId) -> Result<(), Problem> {
    if tx.execute(REMOVE, params![product_id.as_str()])? == 1 {
        return Ok(());
    }
    match products::available(tx, product_id)? {
        None => Err(Problem::not_found("product")),
        Some(_) => Err(Problem::conflict("reserved", "units of the product are held, it cannot go")),
    }
}

fn there(tx: &mut Tx<'_>, product_id: &ProductId) -> Result<Item, StoreError> {
    let missing = || StoreError::Row { reason: format!("product {product_id} is not where it was just put") };
    products::find(tx, product_id)?.ok_or_else(missing)
}

fn below_reserved() -> Problem {
    Problem::conflict("below_reserved", "more units than that are held")
}
