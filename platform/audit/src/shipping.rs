//! Invariant 5: nothing is shipped after a cancellation, nothing before the risk was clear.

use std::collections::BTreeSet;

use events::Fact;
use events::StockLine;
use events::order::{OrderConfirmed, OrderReleased};
use events::risk::{FraudCleared, RiskLevel};
use store::{StoreError, Tx};

use crate::evidence::Evidence;
use crate::invariant::Invariant;

/// The warehouse's shipments.
#[derive(Default)]
pub struct Found {
    /// Every shipment.
    pub shipments: Vec<Shipment>,
}

/// One shipment.
pub struct Shipment {
    /// Which shipment.
    pub shipment_id: String,
    /// For which order.
    pub order_id: String,
    /// From which ledger.
    pub ledger: String,
    /// Whether it left the house.
    pub left: bool,
    /// Whether it left and could not be delivered.
    pub failed: bool,
    /// What is in it.
    pub lines: Vec<StockLine>,
}

/// Reads the warehouse.
///
/// # Errors
/// Of the database.
pub fn find(tx: &mut Tx<'_>) -> Result<Found, StoreError> {
    let sql = "SELECT shipment_id, order_id, ledger, status, lines FROM shipments ORDER BY shipment_id";
    let shipments = tx.query(sql, &[], |row| {
        let status: String = row.get(3)?;
        let lines = serde_json::from_str(&row.get::<String>(4)?).unwrap_or_default();
        let left = matches!(status.as_str(), "dispatched" | "retrying" | "delivered" | "failed");
        let failed = status == "failed";
        Ok(Shipment { shipment_id: row.get(0)?, order_id: row.get(1)?, ledger: row.get(2)?, left, failed, lines })
    });
    Ok(Found { shipments: shipments? })
}

pub(crate) fn check(evidence: &Evidence) -> Invariant {
    let mut invariant = Invariant::new(5, "nothing is shipped after a cancellation, nothing before the risk was clear");
    let orders_with = |event_type: &str, risk: Option<&str>| -> BTreeSet<&str> {
        let matching = evidence.facts().filter(|said| said.event_type == event_type);
        matching.filter(|said| risk.is_none() || said.risk.as_deref() == risk).map(|said| said.order_id()).collect()
    };
    let unknown = orders_with(OrderConfirmed::TYPE, Some(RiskLevel::Unknown.as_str()));
    let cleared = orders_with(FraudCleared::TYPE, None);
    let released = orders_with(OrderReleased::TYPE, None);
    for shipment in evidence.shipping.shipments.iter().filter(|shipment| shipment.left) {
        let order = shipment.order_id.as_str();
        let cancelled = evidence.statuses.get(order).is_some_and(|status| status == "cancelled");
        // An order is cancelled after dispatch only when none of its shipments arrived.
        invariant.check(!cancelled || shipment.failed, || {
            format!("shipment {} left for the cancelled order {order}", shipment.shipment_id)
        });
        let clear = !unknown.contains(order) || cleared.contains(order) || released.contains(order);
        invariant.check(clear, || {
            format!("shipment {} left before the risk of order {order} was clear", shipment.shipment_id)
        });
    }
    invariant
}
