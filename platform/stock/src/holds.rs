//! The rows of the `holds` table, of cancelled orders and of returns.

use events::fulfillment::ReturnReceived;
use events::{OrderId, ReservationId, ShipmentId, StockLine};
use store::{Row, StoreError, Tx, params};

use crate::contract::ReservationRequest;
use crate::limits::{MAX_DEPARTURES_PER_ORDER, MAX_HOLDS_PER_ORDER};

const FIND: &str = "SELECT reservation_id, order_id, status, expires_at_ms, shipment_id, lines
    FROM holds WHERE reservation_id = ?1";
const OF_ORDER: &str = "SELECT reservation_id, order_id, status, expires_at_ms, shipment_id, lines
    FROM holds WHERE order_id = ?1 AND status <> 'released' ORDER BY reservation_id LIMIT ?2";
const LAPSED: &str = "SELECT reservation_id, order_id, status, expires_at_ms, shipment_id, lines
    FROM holds WHERE status = 'held' AND expires_at_ms <= ?1 ORDER BY expires_at_ms LIMIT ?2";
const ADD: &str = "INSERT INTO holds (reservation_id, order_id, status, expires_at_ms, lines)
    SELECT ?1, ?2, 'held', ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM cancelled_orders WHERE order_id = ?2)
    ON CONFLICT (reservation_id) DO NOTHING";
const FORBID: &str = "INSERT INTO holds (reservation_id, order_id, status, expires_at_ms, lines)
    VALUES (?1, NULL, 'released', 0, '[]') ON CONFLICT (reservation_id) DO NOTHING";
const COMMIT: &str = "UPDATE holds SET status = 'committed' WHERE reservation_id = ?1 AND status = 'held'";
const RELEASE: &str =
    "UPDATE holds SET status = 'released' WHERE reservation_id = ?1 AND status IN ('held', 'committed')";
const RELEASE_HELD: &str = "UPDATE holds SET status = 'released' WHERE reservation_id = ?1 AND status = 'held'";
const SHIP: &str = "UPDATE holds SET status = ?3, shipment_id = ?2 WHERE reservation_id = ?1 AND status = ?4";
const DEPART: &str = "INSERT INTO departures (shipment_id, reservation_id, lines) VALUES (?1, ?2, ?3)
    ON CONFLICT (shipment_id) DO NOTHING";
const DEPARTURES: &str = "SELECT d.shipment_id, d.reservation_id, d.lines FROM departures d
    JOIN holds h ON h.reservation_id = d.reservation_id WHERE h.order_id = ?1 ORDER BY d.shipment_id LIMIT ?2";
const CANCEL: &str = "INSERT INTO cancelled_orders (order_id, cancelled_at_ms) VALUES (?1, ?2)
    ON CONFLICT (order_id) DO NOTHING";
const RETURN: &str = "INSERT INTO restocked_returns (return_id, order_id, received_at_ms) VALUES (?1, ?2, ?3)
    ON CONFLICT (return_id) DO NOTHING";

/// How far a hold has come.
pub use events::states::hold::State as Status;

/// What a shipment took of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// Which shipment.
    pub shipment_id: ShipmentId,
    /// Of which hold.
    pub reservation_id: ReservationId,
    /// Each product whole.
    pub lines: Vec<StockLine>,
}

/// A hold on units of one ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Which hold.
    pub reservation_id: ReservationId,
    /// For which order; `None` when it was released before it was made.
    pub order_id: Option<OrderId>,
    /// How far it has come.
    pub status: Status,
    /// When it lapses, in milliseconds since the Unix epoch.
    pub expires_at_ms: i64,
    /// The shipment that took the last of it.
    pub shipment_id: Option<ShipmentId>,
    /// What it holds.
    pub lines: Vec<StockLine>,
}

/// The hold, if there is one.
///
/// # Errors
/// Of the database.
pub fn find(tx: &mut Tx<'_>, reservation_id: &ReservationId) -> Result<Option<Hold>, StoreError> {
    tx.query_opt(FIND, params![reservation_id.as_str()], read_hold)
}

/// The order's holds that have not ended. Those that have are left out, so that however many attempts there were, the one that counts is
/// found.
///
/// # Errors
/// Of the database.
pub fn of_order(tx: &mut Tx<'_>, order_id: &OrderId) -> Result<Vec<Hold>, StoreError> {
    tx.query(OF_ORDER, params![order_id.as_str(), MAX_HOLDS_PER_ORDER], read_hold)
}

/// Holds that are not firm and whose deadline is `at_ms` (Unix milliseconds) or before, the earliest first.
///
/// # Errors
/// Of the database.
pub fn lapsed(tx: &mut Tx<'_>, at_ms: i64, limit: u32) -> Result<Vec<Hold>, StoreError> {
    tx.query(LAPSED, params![at_ms, limit], read_hold)
}

/// Adds a hold on the request's lines, in the order of `lines`. False: there is one of this id, or the order was
/// cancelled.
///
/// # Errors
/// Of the database.
pub fn add<'a>(
    tx: &mut Tx<'_>,
    request: &ReservationRequest,
    lines: impl Iterator<Item = &'a StockLine>,
) -> Result<bool, StoreError> {
    let lines: Vec<&StockLine> = lines.collect();
    let lines = serde_json::to_string(&lines).expect("lines have only string keys and whole numbers");
    let (reservation_id, order_id) = (request.reservation_id.as_str(), request.order_id.as_str());
    let expires_at_ms = request.expires_at.as_millisecond();
    Ok(tx.execute(ADD, params![reservation_id, order_id, expires_at_ms, &lines])? == 1)
}

/// Makes a hold firm. False: it is not held.
///
/// # Errors
/// Of the database.
pub fn commit(tx: &mut Tx<'_>, reservation_id: &ReservationId) -> Result<bool, StoreError> {
    Ok(tx.execute(COMMIT, params![reservation_id.as_str()])? == 1)
}

/// Ends a hold. False: it is neither held nor firm.
///
/// # Errors
/// Of the database.
pub fn release(tx: &mut Tx<'_>, reservation_id: &ReservationId) -> Result<bool, StoreError> {
    Ok(tx.execute(RELEASE, params![reservation_id.as_str()])? == 1)
}

/// Ends a hold that is not firm. False: it is not held.
///
/// # Errors
/// Of the database.
pub fn release_held(tx: &mut Tx<'_>, reservation_id: &ReservationId) -> Result<bool, StoreError> {
    Ok(tx.execute(RELEASE_HELD, params![reservation_id.as_str()])? == 1)
}

/// Sees to it that a hold that is not there is never made. False: it is there.
///
/// # Errors
/// Of the database.
pub fn forbid(tx: &mut Tx<'_>, reservation_id: &ReservationId) -> Result<bool, StoreError> {
    Ok(tx.execute(FORBID, params![reservation_id.as_str()])? == 1)
}

/// Notes what a shipment takes of a hold, which stands at `to` from now on. False: somebody was faster.
///
/// # Errors
/// Of the database.
pub fn ship(
    tx: &mut Tx<'_>,
    hold: &Hold,
    to: Status,
    shipment_id: &ShipmentId,
    lines: &[StockLine],
) -> Result<bool, StoreError> {
    let (reservation_id, shipment_id) = (hold.reservation_id.as_str(), shipment_id.as_str());
    let lines = serde_json::to_string(lines).expect("lines have only string keys and whole numbers");
    if tx.execute(DEPART, params![shipment_id, reservation_id, &lines])? != 1 {
        return Ok(false);
    }
    Ok(tx.execute(SHIP, params![reservation_id, shipment_id, to.as_str(), hold.status.as_str()])? == 1)
}

/// What left the house of the order's holds.
///
/// # Errors
/// Of the database.
pub fn departures(tx: &mut Tx<'_>, order_id: &OrderId) -> Result<Vec<Departure>, StoreError> {
    tx.query(DEPARTURES, params![order_id.as_str(), MAX_DEPARTURES_PER_ORDER], |row| {
        let broken = |what: &str| StoreError::Row { reason: format!("a departure has a broken {what}") };
        Ok(Departure {
            shipment_id: row.get_str(0)?.parse().map_err(|_| broken("shipment_id"))?,
            reservation_id: row.get_str(1)?.parse().map_err(|_| broken("reservation_id"))?,
            lines: serde_json::from_str(row.get_str(2)?).map_err(|_| broken("lines"))?,
        })
    })
}

/// Remembers that an order was cancelled: nothing is held for it from now on.
///
/// # Errors
/// Of the database.
pub fn cancel(tx: &mut Tx<'_>, order_id: &OrderId) -> Result<(), StoreError> {
    let now_ms = tx.now_ms();
    tx.execute(CANCEL, params![order_id.as_str(), now_ms]).map(|_| ())
}

/// Remembers a return. False: it came before.
///
/// # Errors
/// Of the database.
pub fn note_return(tx: &mut Tx<'_>, fact: &ReturnReceived) -> Result<bool, StoreError> {
    let now_ms = tx.now_ms();
    Ok(tx.execute(RETURN, params![fact.return_id.as_str(), fact.order_id.as_str(), now_ms])? == 1)
}

fn read_hold(row: &Row<'_>) -> Result<Hold, StoreError> {
    let broken = |what: &str| StoreError::Row { reason: format!("a hold has a broken {what}") };
    let order_id = row.get_opt_text(1)?.map(OrderId::try_from).transpose();
    let shipment_id = row.get_opt_text(4)?.map(ShipmentId::try_from).transpose();
    Ok(Hold {
        reservation_id: row.get_str(0)?.parse().map_err(|_| broken("reservation_id"))?,
        order_id: order_id.map_err(|_| broken("order_id"))?,
        status: Status::named(row.get_str(2)?).ok_or_else(|| broken("status"))?,
        expires_at_ms: row.get_i64(3)?,
        shipment_id: shipment_id.map_err(|_| broken("shipment_id"))?,
        lines: serde_json::from_str(row.get_str(5)?).map_err(|_| broken("lines"))?,
    })
}

#[cfg(test)]
mod tests {
    use events::Ledger;
    use testkit::Scenario;

    use super::LAPSED;

    /// With every minute this is asked over all holds there ever were.
    #[tokio::test]
    async fn what_lapses_is_found_by_an_index_alone() {
        let shop = Scenario::new(crate::reactions(Ledger::Inventory), &[crate::LEDGER, crate::LAPSES]);
        let explain = format!("EXPLAIN QUERY PLAN {LAPSED}");
        let plan = shop.read(move |tx| {
            tx.query_dynamic(&explain, &[store::Param::Int(1), store::Param::Int(2)], |row| row.get_text(3))
        });
        let plan = plan.await.join("; ");
        assert!(plan.contains("holds_lapsing (expires_at_ms<?)") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
