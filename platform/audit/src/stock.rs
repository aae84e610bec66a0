//! Invariant 3: reserved + available = stock level, nothing oversold, reserved = the sum of open orders' lines.

use std::collections::{BTreeMap, BTreeSet};

use events::StockLine;
use store::{StoreError, Tx};

use crate::evidence::Evidence;
use crate::invariant::Invariant;
use crate::orders::has_ended;

/// How long after its deadline a hold may still be there: a minute until the next one is said, and time to hear of it.
const LAPSES_WITHIN_MS: i64 = 5 * 60 * 1_000;

/// One ledger's products and holds.
#[derive(Default)]
pub struct Found {
    /// Whose ledger.
    pub service: &'static str,
    products: Vec<Product>,
    holds: Vec<Hold>,
}

impl Found {
    /// Units firmly held for each order, those that were shipped included, by product.
    pub fn units_by_order(&self) -> BTreeMap<&str, BTreeMap<&str, u32>> {
        let mut orders: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
        for hold in self.holds.iter().filter(|hold| matches!(hold.status.as_str(), "committed" | "shipped")) {
            let Some(order_id) = &hold.order_id else { continue };
            let units = orders.entry(order_id).or_default();
            for line in &hold.lines {
                *units.entry(line.product_id.as_str()).or_default() += line.quantity;
            }
        }
        orders
    }
}

struct Product {
    product_id: String,
    stock_level: i64,
    reserved: i64,
    reserved_manually: i64,
}

struct Hold {
    reservation_id: String,
    order_id: Option<String>,
    status: String,
    expires_at_ms: i64,
    lines: Vec<StockLine>,
    /// Products that left with a shipment.
    gone: BTreeSet<String>,
}

/// Reads one ledger.
///
/// # Errors
/// Of the database.
pub fn find(tx: &mut Tx<'_>, service: &'static str) -> Result<Found, StoreError> {
    let products = "SELECT product_id, stock_level, reserved, reserved_manually FROM stock ORDER BY product_id";
    let products = tx.query(products, &[], |row| {
        let (stock_level, reserved, reserved_manually) = (row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(Product { product_id: row.get(0)?, stock_level, reserved, reserved_manually })
    })?;
    let departures = "SELECT reservation_id, lines FROM departures ORDER BY shipment_id";
    let departures: Vec<(String, Vec<StockLine>)> = tx.query(departures, &[], |row| {
        Ok((row.get(0)?, serde_json::from_str(&row.get::<String>(1)?).unwrap_or_default()))
    })?;
    let mut gone: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (reservation_id, lines) in departures {
        gone.entry(reservation_id).or_default().extend(lines.iter().map(|line| line.product_id.to_string()));
    }
    let holds = "SELECT reservation_id, order_id, status, lines, expires_at_ms FROM holds ORDER BY reservation_id";
    let holds = tx.query(holds, &[], |row| {
        let reservation_id: String = row.get(0)?;
        let lines = serde_json::from_str(&row.get::<String>(3)?).unwrap_or_default();
        let gone = gone.get(&reservation_id).cloned().unwrap_or_default();
        Ok(Hold { reservation_id, order_id: row.get(1)?, status: row.get(2)?, expires_at_ms: row.get(4)?, lines, gone })
    })?;
    Ok(Found { service, products, holds })
}

pub(crate) fn check(evidence: &Evidence) -> Invariant {
    let mut invariant = Invariant::new(
        3,
        "nothing is oversold, and units reserved are exactly those of open orders and of holds that are yet to lapse",
    );
    for ledger in &evidence.stock {
        let service = ledger.service;
        let mut held: BTreeMap<&str, i64> = BTreeMap::new();
        for hold in ledger.holds.iter().filter(|hold| matches!(hold.status.as_str(), "held" | "committed")) {
            for line in hold.lines.iter().filter(|line| !hold.gone.contains(line.product_id.as_str())) {
                *held.entry(line.product_id.as_str()).or_default() += i64::from(line.quantity);
            }
            let status = hold.order_id.as_ref().and_then(|order| evidence.statuses.get(order));
            let over = status.is_some_and(|status| has_ended(status));
            // What checkout held and did not live to give back lapses at its deadline, with the next minute.
            let lapses = hold.status == "held" && evidence.now_ms < hold.expires_at_ms + LAPSES_WITHIN_MS;
            invariant.check(!over || lapses, || {
                let order = hold.order_id.as_deref().unwrap_or_default();
                format!("{service} still holds {} for order {order}, which has ended", hold.reservation_id)
            });
        }
        for Product { product_id, stock_level, reserved, reserved_manually } in &ledger.products {
            let fair = (0..=*stock_level).contains(reserved);
            let oversold = format!("{service} {product_id} oversold");
            invariant
                .check_of(&oversold, fair, || format!("{service} {product_id}: {reserved} reserved of {stock_level}"));
            let wanted = held.get(product_id.as_str()).copied().unwrap_or(0) + reserved_manually;
            let sum = format!("{service} {product_id} reserved");
            invariant.check_of(&sum, *reserved == wanted, || {
                format!("{service} {product_id}: {reserved} reserved, open orders and manual holds want {wanted}")
            });
        }
    }
    invariant
}
