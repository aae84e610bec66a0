//! What a carrier reports about a shipment, and what follows from a report. Reports come in any order, late, and more than once.

use events::states::Illegal;
use events::states::shipment::{MACHINE, Trigger};
use events::{EventId, Timestamp};
use runtime::clock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Row, StoreError, Tx, params};

use crate::shipment::{MAX_ATTEMPTS, Shipment, Status};

/// Reports kept of one shipment, apart from those that move it on.
pub(crate) const MAX_REPORTS: u32 = 200;
/// Reports that move one shipment on, at most: each delivery but the last fails once, and the last fails or arrives.
const MAX_MOVES: u32 = MAX_ATTEMPTS;

/// A carrier's words for where a shipment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Report {
    PickedUp,
    InTransit,
    OutForDelivery,
    Delivered,
    Failed,
    ReturnedToSender,
}

impl Report {
    const ALL: [Report; 6] = [
        Report::PickedUp,
        Report::InTransit,
        Report::OutForDelivery,
        Report::Delivered,
        Report::Failed,
        Report::ReturnedToSender,
    ];

    /// The name in tables and answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Report::PickedUp => "picked_up",
            Report::InTransit => "in_transit",
            Report::OutForDelivery => "out_for_delivery",
            Report::Delivered => "delivered",
            Report::Failed => "failed",
            Report::ReturnedToSender => "returned_to_sender",
        }
    }
}

/// One report, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Update {
    /// The carrier's id of the report: the same again is the same report.
    pub reference: EventId,
    pub report: Report,
    /// When it happened, by the carrier's clock, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Where.
    pub place: Option<String>,
}

/// A report as the REST doors show it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrackingView {
    reference: EventId,
    status: Report,
    /// Which delivery it is about.
    attempt: u32,
    at: Timestamp,
    place: Option<String>,
}

/// Which delivery a report is about: the one whose number it names, otherwise the last that had left by then. `None`: the number is none
/// of this shipment's.
pub(crate) fn attempt_of(shipment: &Shipment, tracking_number: Option<&str>, at_ms: i64) -> Option<u32> {
    let last = shipment.last_departure();
    match tracking_number {
        Some(number) => (1..=last).find(|attempt| shipment.tracking_number(*attempt) == number),
        None if last > 1 && shipment.dispatched_at_ms.is_some_and(|left_ms| at_ms < left_ms) => Some(last - 1),
        None => Some(last),
    }
}

/// The step that follows from a report about the delivery `attempt`; none for one that says nothing new or comes too late to matter.
///
/// # Errors
/// [`Illegal`] for a shipment that never left, and for a report that contradicts an end that lies before it.
pub(crate) fn follow(shipment: &Shipment, update: &Update, attempt: u32) -> Result<Option<Trigger>, Illegal> {
    if !shipment.has_left() {
        return MACHINE.next(shipment.status, Trigger::Deliver).map(|_| None);
    }
    match update.report {
        Report::PickedUp | Report::InTransit | Report::OutForDelivery => Ok(None),
        Report::Delivered if shipment.status == Status::Delivered => Ok(None),
        Report::Delivered => take(shipment, Trigger::Deliver, update.at_ms, shipment.failed_at_ms),
        Report::Failed | Report::ReturnedToSender => {
            // Of a delivery that failed, only its first word counts.
            if attempt < shipment.attempt || shipment.status == Status::Failed {
                return Ok(None);
            }
            let trigger = if shipment.attempt < MAX_ATTEMPTS { Trigger::Retry } else { Trigger::Fail };
            take(shipment, trigger, update.at_ms, shipment.delivered_at_ms)
        }
    }
}

/// The step, unless the shipment ended otherwise after the report.
fn take(
    shipment: &Shipment,
    trigger: Trigger,
    at_ms: i64,
    ended_at_ms: Option<i64>,
) -> Result<Option<Trigger>, Illegal> {
    match MACHINE.next(shipment.status, trigger) {
        Ok(_) => Ok(Some(trigger)),
        Err(_) if ended_at_ms.is_some_and(|ended_ms| at_ms <= ended_ms) => Ok(None),
        Err(illegal) => Err(illegal),
    }
}

const ADD: &str = "INSERT INTO tracking (shipment_id, reference, attempt, status, at_ms, place, heard_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const ONE: &str =
    "SELECT reference, status, at_ms, place, attempt FROM tracking WHERE shipment_id = ?1 AND reference = ?2";
const OF_SHIPMENT: &str = "SELECT reference, status, at_ms, place, attempt FROM tracking
    WHERE shipment_id = ?1 ORDER BY at_ms, reference LIMIT ?2";

/// Keeps a report.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn add(tx: &mut Tx<'_>, shipment: &Shipment, update: &Update, attempt: u32) -> Result<(), StoreError> {
    let now_ms = tx.now_ms();
    let (shipment_id, reference) = (shipment.shipment_id.as_str(), update.reference.as_str());
    let values = params![shipment_id, reference, attempt, update.report.as_str(), update.at_ms, &update.place, now_ms];
    tx.execute(ADD, values).map(drop)
}

/// The report of that reference, if it is kept.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn find(tx: &mut Tx<'_>, shipment: &Shipment, reference: &EventId) -> Result<Option<Update>, StoreError> {
    let values = params![shipment.shipment_id.as_str(), reference.as_str()];
    Ok(tx.query_opt(ONE, values, read)?.map(|(update, _)| update))
}

/// Every report about a shipment, by the carrier's clock.
///
/// # Errors
/// Any [`StoreError`].
pub(crate) fn of_shipment(tx: &mut Tx<'_>, shipment: &Shipment) -> Result<Vec<TrackingView>, StoreError> {
    let found = tx.query(OF_SHIPMENT, params![shipment.shipment_id.as_str(), MAX_REPORTS + MAX_MOVES], read)?;
    let view = |(Update { reference, report, at_ms, place }, attempt)| TrackingView {
        reference,
        status: report,
        attempt,
        at: clock::from_ms(at_ms),
        place,
    };
    Ok(found.into_iter().map(view).collect())
}

fn read(row: &Row<'_>) -> Result<(Update, u32), StoreError> {
    let broken = |what: &str| StoreError::Row { reason: format!("a tracking report's {what} cannot be read") };
    let status = row.get_str(1)?;
    let report = Report::ALL.into_iter().find(|report| report.as_str() == status).ok_or_else(|| broken("status"))?;
    let reference = row.get_text(0)?.try_into().map_err(|_| broken("reference"))?;
    Ok((Update { reference, report, at_ms: row.get_i64(2)?, place: row.get_opt_text(3)? }, row.get(4)?))
}
