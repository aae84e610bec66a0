//! Furniture in the ledger's table, by number.

use events::ProductId;
use runtime::Problem;
use stock::{keeper, products};
use store::{StoreError, Tx, params};

use crate::contract::Furniture;

const PAGE: &str = "SELECT product_id, name, category, unit_price_minor, location, stock_level, reserved, updated_at_ms
    FROM stock WHERE CAST(substr(product_id, 6) AS BIGINT) > ?1
    ORDER BY CAST(substr(product_id, 6) AS BIGINT) LIMIT ?2";
/// Above the last number used and above every number there is: products also come by `PUT /inventory`.
const NEXT_NUMBER: &str = "UPDATE furniture_numbers SET last = 1 + COALESCE(
    (SELECT MAX(CAST(substr(product_id, 6) AS BIGINT)) FROM stock
        WHERE CAST(substr(product_id, 6) AS BIGINT) > furniture_numbers.last),
    last) RETURNING last";

/// At most `limit` pieces after the number `after`, by number.
pub(crate) fn page(tx: &mut Tx<'_>, after: i64, limit: u32) -> Result<Vec<Furniture>, StoreError> {
    let items = tx.query(PAGE, params![after, limit], products::read_item)?;
    Ok(items.into_iter().filter_map(Furniture::of).collect())
}

/// The piece, if there is one.
pub(crate) fn find(tx: &mut Tx<'_>, product_id: &ProductId) -> Result<Option<Furniture>, StoreError> {
    Ok(products::find(tx, product_id)?.and_then(Furniture::of))
}

/// A product id that was never used.
pub(crate) fn next_product(tx: &mut Tx<'_>) -> Result<ProductId, Problem> {
    let number = tx.query_opt(NEXT_NUMBER, &[], |row| row.get_i64(0))?;
    number.and_then(keeper::furniture_product).ok_or_else(|| Problem::conflict("no_number", "the numbers are used up"))
}
