//! `POST /shipments/{shipmentId}/tracking`: the carrier reports. The same report again changes nothing; its reference names it.

use axum::Json;
use axum::extract::{Path, State};
use events::states::shipment::Trigger;
use events::{Event, EventId, FieldError, ShipmentId, Timestamp};
use runtime::{JsonBody, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use store::{StoreError, Tx};

use crate::config::Delays;
use crate::doors::Doors;
use crate::shipment::{Shipment, ShipmentView};
use crate::tracking::{self, MAX_REPORTS, Report, TrackingView, Update};
use crate::{decide, return_rows, returns, rows};

/// The longest name of a place, in characters.
const MAX_PLACE_CHARS: usize = 200;
/// How far a carrier's clock may be ahead of ours, in milliseconds: one day.
const MAX_AHEAD_MS: i64 = 24 * 60 * 60 * 1_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tracked {
    status: Report,
    at: Timestamp,
    #[serde(default)]
    #[schemars(length(max = MAX_PLACE_CHARS), regex(pattern = r"^[^\x00-\x1F\x7F-\x9F]*$"))]
    place: Option<String>,
    reference: EventId,
    /// Which delivery it is about; without it the one that was under way at `at`.
    #[serde(default)]
    tracking_number: Option<String>,
}

pub(super) async fn track(
    State(doors): State<Doors>,
    Path(id): Path<String>,
    JsonBody(tracked): JsonBody<Tracked>,
) -> Result<Json<ShipmentView>, Problem> {
    let shipment_id: ShipmentId = id.parse().map_err(|_| Problem::not_found("shipment"))?;
    let Tracked { status, at, place, reference, tracking_number } = tracked;
    if place
        .as_ref()
        .is_some_and(|place| place.chars().count() > MAX_PLACE_CHARS || place.chars().any(char::is_control))
    {
        return Err(FieldError::new("place", format!("must be at most {MAX_PLACE_CHARS} printable characters")).into());
    }
    let found: Result<_, StoreError> = {
        let shipment_id = shipment_id.clone();
        doors.transactor.store().read(move |tx| rows::one(tx, &shipment_id)).await
    };
    let shipment = found?.ok_or_else(|| Problem::not_found("shipment"))?;
    let reaction = format!("{}.track-shipment.{shipment_id}.{reference}", crate::service::NAME);
    let cause = shipment.story.clone().cause(reaction);
    let update = Update { reference, report: status, at_ms: at.as_millisecond(), place };
    let delays = doors.delays;
    let run = doors.transactor.run(cause, move |tx| {
        tx.lock(shipment.order_id.as_str())?;
        let shipment = rows::one(tx, &shipment_id)?.ok_or_else(|| Problem::not_found("shipment"))?;
        let (shipment, said) = hear(tx, shipment, &update, tracking_number.as_deref(), delays)?;
        let tracking = tracking::of_shipment(tx, &shipment)?;
        Ok::<_, Problem>(((shipment, tracking), said))
    });
    let (shipment, tracking): (Shipment, Vec<TrackingView>) = run.await?;
    Ok(Json(ShipmentView::with_tracking(shipment, tracking)))
}

fn hear(
    tx: &mut Tx<'_>,
    mut shipment: Shipment,
    update: &Update,
    tracking_number: Option<&str>,
    delays: Delays,
) -> Result<(Shipment, Vec<Event>), Problem> {
    if update.at_ms > tx.now_ms().saturating_add(MAX_AHEAD_MS) {
        return Err(FieldError::new("at", "lies in the future").into());
    }
    if let Some(known) = tracking::find(tx, &shipment, &update.reference)? {
        if known == *update {
            return Ok((shipment, Vec::new()));
        }
        return Err(Problem::conflict("reference_conflict", "another report has this reference"));
    }
    let Some(attempt) = tracking::attempt_of(&shipment, tracking_number, update.at_ms) else {
        return Err(Problem::unprocessable("unknown_tracking_number", "no delivery of the shipment has that number"));
    };
    let trigger = tracking::follow(&shipment, update, attempt)?;
    // A report that moves the shipment on is never one too many: there are few of them, and nothing else may end it.
    if trigger.is_none() && tracking::of_shipment(tx, &shipment)?.len() >= MAX_REPORTS as usize {
        return Err(Problem::conflict("too_many_reports", format!("at most {MAX_REPORTS} are kept of a shipment")));
    }
    tracking::add(tx, &shipment, update, attempt)?;
    let Some(trigger) = trigger else { return Ok((shipment, Vec::new())) };
    let (before, now_ms) = (shipment.status, tx.now_ms());
    // The next delivery is made ready from now on; what ended did so when the carrier says.
    let at_ms = if trigger == Trigger::Retry { now_ms } else { update.at_ms.min(now_ms) };
    let mut said = decide::step(&mut shipment, trigger, delays, at_ms)?;
    said.extend(decide::advance(&mut shipment, delays, now_ms));
    if !rows::advance(tx, before, &shipment)? {
        return Err(Problem::unavailable("changed_meanwhile", "the shipment moved on meanwhile, try again"));
    }
    if trigger == Trigger::Fail {
        return_rows::expect(tx, &returns::of_shipment(&shipment, now_ms))?;
    }
    Ok((shipment, said))
}
