//! The rows of the `food` table.

use events::ProductId;
use stock::decimal::Decimal;
use store::{Row, StoreError, Tx, params};

use crate::contract::{Food, NewFood};

const FIND: &str = "SELECT id, name, category, price_minor, available FROM food WHERE id = ?1";
const PAGE: &str = "SELECT id, name, category, price_minor, available FROM food WHERE id > ?1 ORDER BY id LIMIT ?2";
const ADD: &str = "INSERT INTO food (name, category, price_minor, available, wanted_stock_level, pending)
    VALUES (?1, ?2, ?3, ?4, ?5, 1) RETURNING id";
const CHANGE: &str = "UPDATE food SET name = ?2, category = ?3, price_minor = ?4, available = ?5,
    wanted_stock_level = COALESCE(?6, wanted_stock_level), revision = revision + 1, pending = 1 WHERE id = ?1";
const REMOVE: &str = "DELETE FROM food WHERE id = ?1";
const PENDING: &str = "SELECT id FROM food WHERE pending = 1 ORDER BY id LIMIT ?1";
const UNTOLD: &str = "SELECT id, name, category, price_minor, available, wanted_stock_level, revision FROM food
    WHERE id = ?1 AND pending = 1";
const TOLD: &str = "UPDATE food SET pending = 0, wanted_stock_level = NULL WHERE id = ?1 AND revision = ?2";
const FORGET_STOCK_LEVEL: &str = "UPDATE food SET wanted_stock_level = NULL WHERE id = ?1 AND revision = ?2";

/// Food that inventory does not know of in this form.
#[derive(Debug, Clone)]
pub(crate) struct Untold {
    pub(crate) food: Food,
    /// Units inventory is to have.
    pub(crate) stock_level: Option<u32>,
    /// Counts the changes of the row.
    pub(crate) revision: i64,
}

pub(crate) fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<Food>, StoreError> {
    tx.query_opt(FIND, params![id], read_food)
}

/// At most `limit` after the number `after`, by number.
pub(crate) fn page(tx: &mut Tx<'_>, after: i64, limit: u32) -> Result<Vec<Food>, StoreError> {
    tx.query(PAGE, params![after, limit], read_food)
}

/// Adds food, with the mark that inventory does not know of it.
pub(crate) fn add(tx: &mut Tx<'_>, new: &NewFood) -> Result<i64, StoreError> {
    let NewFood { name, category, price, available, stock_level } = new;
    let id = tx.query_opt(ADD, params![name, category, price.0, *available, *stock_level], |row| row.get_i64(0))?;
    id.ok_or_else(|| StoreError::Row { reason: "the insert returned no id".to_owned() })
}

/// Changes food, with the mark. False: there is none.
pub(crate) fn change(tx: &mut Tx<'_>, id: i64, new: &NewFood) -> Result<bool, StoreError> {
    let NewFood { name, category, price, available, stock_level } = new;
    Ok(tx.execute(CHANGE, params![id, name, category, price.0, *available, *stock_level])? == 1)
}

/// Removes food. False: there is none.
pub(crate) fn remove(tx: &mut Tx<'_>, id: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(REMOVE, params![id])? == 1)
}

/// Numbers of food with the mark.
pub(crate) fn pending(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<i64>, StoreError> {
    tx.query(PENDING, params![limit], |row| row.get_i64(0))
}

/// The newest row, if it has the mark.
pub(crate) fn untold(tx: &mut Tx<'_>, id: i64) -> Result<Option<Untold>, StoreError> {
    tx.query_opt(UNTOLD, params![id], |row| {
        Ok(Untold { food: read_food(row)?, stock_level: row.get(5)?, revision: row.get_i64(6)? })
    })
}

/// Takes the mark off, unless the row has changed since.
pub(crate) fn told(tx: &mut Tx<'_>, id: i64, revision: i64) -> Result<(), StoreError> {
    tx.execute(TOLD, params![id, revision]).map(|_| ())
}

/// Gives up a number of units that inventory refused.
pub(crate) fn forget_stock_level(tx: &mut Tx<'_>, id: i64, revision: i64) -> Result<(), StoreError> {
    tx.execute(FORGET_STOCK_LEVEL, params![id, revision]).map(|_| ())
}

fn read_food(row: &Row<'_>) -> Result<Food, StoreError> {
    let id = row.get_i64(0)?;
    let product_id: Result<ProductId, _> = format!("FOOD-{id}").parse();
    Ok(Food {
        id,
        name: row.get_text(1)?,
        category: row.get_text(2)?,
        price: Decimal(row.get_i64(3)?),
        available: row.get(4)?,
        product_id: product_id.map_err(|_| StoreError::Row { reason: format!("{id} is no number of food") })?,
    })
}
