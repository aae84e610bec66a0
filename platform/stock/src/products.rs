//! The rows of the `stock` table.
//!
//! Every statement that takes or gives units has its rule in its `WHERE`, so that it holds under concurrency, and
//! answers whether it did anything.

use events::{Money, ProductId, StockLine};
use runtime::clock;
use store::{Param, Row, StoreError, Tx, params};

use crate::contract::Item;

macro_rules! select {
    ($rest:expr) => {
        concat!(
            "SELECT product_id, name, category, unit_price_minor, location, stock_level, reserved, updated_at_ms
            FROM stock ",
            $rest
        )
    };
}

macro_rules! select_low {
    ($ids:expr) => {
        concat!(
            "SELECT product_id, stock_level - reserved, low_threshold FROM stock
            WHERE low_said = 0 AND stock_level - reserved < low_threshold AND product_id IN ",
            $ids
        )
    };
}

const FIND: &str = select!("WHERE product_id = ?1");
const FIND_4: &str = select!("WHERE product_id IN (?1, ?2, ?3, ?4)");
const FIND_16: &str =
    select!("WHERE product_id IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)");
const LOW: &str = select_low!("(?1)");
const LOW_4: &str = select_low!("(?1, ?2, ?3, ?4)");
const LOW_16: &str = select_low!("(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)");
/// The most ids one statement takes.
const IDS_PER_STATEMENT: usize = 16;

const PAGE: &str = select!("WHERE product_id > ?1 ORDER BY product_id LIMIT ?2");
const COUNT: &str = "SELECT COUNT(*) FROM stock";
const AVAILABLE: &str = "SELECT stock_level - reserved FROM stock WHERE product_id = ?1";
const HOLD: &str = "UPDATE stock SET reserved = reserved + ?1, updated_at_ms = ?3
    WHERE product_id = ?2 AND stock_level - reserved >= ?1";
const FREE: &str = "UPDATE stock SET reserved = reserved - ?1, updated_at_ms = ?3,
    low_said = CASE WHEN stock_level - reserved + ?1 >= low_threshold THEN 0 ELSE low_said END
    WHERE product_id = ?2 AND reserved - reserved_manually >= ?1";
const SHIP: &str = "UPDATE stock SET reserved = reserved - ?1, stock_level = stock_level - ?1, updated_at_ms = ?3
    WHERE product_id = ?2 AND reserved - reserved_manually >= ?1";
const RESTOCK: &str = "UPDATE stock SET stock_level = stock_level + ?1, updated_at_ms = ?3,
    low_said = CASE WHEN stock_level - reserved + ?1 >= low_threshold THEN 0 ELSE low_said END
    WHERE product_id = ?2";
const HOLD_BY_HAND: &str = "UPDATE stock
    SET reserved = reserved + ?1, reserved_manually = reserved_manually + ?1, updated_at_ms = ?3
    WHERE product_id = ?2 AND stock_level - reserved >= ?1";
const FREE_BY_HAND: &str = "UPDATE stock
    SET reserved = reserved - ?1, reserved_manually = reserved_manually - ?1, updated_at_ms = ?3,
    low_said = CASE WHEN stock_level - reserved + ?1 >= low_threshold THEN 0 ELSE low_said END
    WHERE product_id = ?2 AND reserved_manually >= ?1";
const SAY_LOW: &str = "UPDATE stock SET low_said = 1 WHERE product_id = ?1 AND low_said = 0";

/// A product that fell below its threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Low {
    /// Which product.
    pub product_id: ProductId,
    /// Units for sale.
    pub available: u32,
    /// The threshold, in units.
    pub threshold: u32,
}

/// The product, if the ledger has it.
///
/// # Errors
/// Of the database.
pub fn find(tx: &mut Tx<'_>, product_id: &ProductId) -> Result<Option<Item>, StoreError> {
    tx.query_opt(FIND, params![product_id.as_str()], read_item)
}

/// Those of the products that the ledger has, by id.
///
/// # Errors
/// Of the database.
pub fn find_all(tx: &mut Tx<'_>, product_ids: &[ProductId]) -> Result<Vec<Item>, StoreError> {
    let ids: Vec<&str> = product_ids.iter().map(ProductId::as_str).collect();
    let mut items = by_ids(tx, [FIND, FIND_4, FIND_16], &ids, read_item)?;
    items.sort_unstable_by(|one, other| one.product_id.cmp(&other.product_id));
    items.dedup_by(|one, other| one.product_id == other.product_id);
    Ok(items)
}

/// At most `limit` products after `after` (empty for the first), by id.
///
/// # Errors
/// Of the database.
pub fn page(tx: &mut Tx<'_>, after: &str, limit: u32) -> Result<Vec<Item>, StoreError> {
    tx.query(PAGE, params![after, limit], read_item)
}

/// How many products there are.
///
/// # Errors
/// Of the database.
pub fn count(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let count = tx.query_opt(COUNT, &[], |row| row.get_i64(0))?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
}

/// Units for sale; `None` for an unknown product.
///
/// # Errors
/// Of the database.
pub fn available(tx: &mut Tx<'_>, product_id: &ProductId) -> Result<Option<u32>, StoreError> {
    tx.query_opt(AVAILABLE, params![product_id.as_str()], |row| row.get(0))
}

/// Holds units for an order. False: there are not that many.
///
/// # Errors
/// Of the database.
pub fn hold(tx: &mut Tx<'_>, line: &StockLine) -> Result<bool, StoreError> {
    change(tx, HOLD, &line.product_id, line.quantity)
}

/// Gives held units back. False: that many are not held.
///
/// # Errors
/// Of the database.
pub fn free(tx: &mut Tx<'_>, line: &StockLine) -> Result<bool, StoreError> {
    change(tx, FREE, &line.product_id, line.quantity)
}

/// Lets held units leave. False: that many are not held.
///
/// # Errors
/// Of the database.
pub fn ship(tx: &mut Tx<'_>, line: &StockLine) -> Result<bool, StoreError> {
    change(tx, SHIP, &line.product_id, line.quantity)
}

/// Takes units in. False: the product is unknown.
///
/// # Errors
/// Of the database.
pub fn restock(tx: &mut Tx<'_>, line: &StockLine) -> Result<bool, StoreError> {
    change(tx, RESTOCK, &line.product_id, line.quantity)
}

/// Reserves units by hand. False: there are not that many.
///
/// # Errors
/// Of the database.
pub fn hold_by_hand(tx: &mut Tx<'_>, product_id: &ProductId, quantity: u32) -> Result<bool, StoreError> {
    change(tx, HOLD_BY_HAND, product_id, quantity)
}

/// Releases units reserved by hand. False: that many are not.
///
/// # Errors
/// Of the database.
pub fn free_by_hand(tx: &mut Tx<'_>, product_id: &ProductId, quantity: u32) -> Result<bool, StoreError> {
    change(tx, FREE_BY_HAND, product_id, quantity)
}

/// Those of the lines' products that are low and were not when this was last asked: each fall is answered once, until
/// the product has recovered.
///
/// # Errors
/// Of the database.
pub fn newly_low(tx: &mut Tx<'_>, lines: &[StockLine]) -> Result<Vec<Low>, StoreError> {
    let ids: Vec<&str> = lines.iter().map(|line| line.product_id.as_str()).collect();
    let mut fallen = Vec::new();
    for low in by_ids(tx, [LOW, LOW_4, LOW_16], &ids, read_low)? {
        if tx.execute(SAY_LOW, params![low.product_id.as_str()])? == 1 {
            fallen.push(low);
        }
    }
    Ok(fallen)
}

fn change(tx: &mut Tx<'_>, sql: &'static str, product_id: &ProductId, quantity: u32) -> Result<bool, StoreError> {
    let now_ms = tx.now_ms();
    Ok(tx.execute(sql, params![quantity, product_id.as_str(), now_ms])? == 1)
}

/// Runs the statement that fits the number of ids: for one, for up to 4, for up to 16 at a time.
fn by_ids<T>(
    tx: &mut Tx<'_>,
    [one, four, sixteen]: [&'static str; 3],
    ids: &[&str],
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(IDS_PER_STATEMENT) {
        let (sql, places) = match some.len() {
            1 => (one, 1),
            2..=4 => (four, 4),
            _ => (sixteen, IDS_PER_STATEMENT),
        };
        // Places left over name the first id again: the statement stays the same, and so does its answer.
        let mut values = [Param::Text(some[0]); IDS_PER_STATEMENT];
        values.iter_mut().zip(some).for_each(|(value, id)| *value = Param::Text(id));
        found.append(&mut tx.query(sql, &values[..places], &mut read)?);
    }
    Ok(found)
}

/// Reads a row of `product_id, name, category, unit_price_minor, location, stock_level, reserved, updated_at_ms`.
///
/// # Errors
/// [`StoreError::Row`] for other columns.
pub fn read_item(row: &Row<'_>) -> Result<Item, StoreError> {
    let (stock_level, reserved): (u32, u32) = (row.get(5)?, row.get(6)?);
    Ok(Item {
        product_id: read_id(row, 0)?,
        name: row.get_text(1)?,
        category: row.get_text(2)?,
        unit_price: Money::from_minor(row.get_i64(3)?),
        location: row.get_text(4)?,
        stock_level,
        reserved,
        available: stock_level.saturating_sub(reserved),
        last_updated: clock::from_ms(row.get_i64(7)?),
    })
}

fn read_low(row: &Row<'_>) -> Result<Low, StoreError> {
    Ok(Low { product_id: read_id(row, 0)?, available: row.get(1)?, threshold: row.get(2)? })
}

fn read_id(row: &Row<'_>, index: usize) -> Result<ProductId, StoreError> {
    let text = row.get_str(index)?;
    text.parse().map_err(|_| StoreError::Row { reason: format!("{text:?} is no product id") })
}
