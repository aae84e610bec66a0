//! `GET /shipments`, `GET /shipments/{shipmentId}`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use events::{OrderId, ShipmentId};
use runtime::Problem;
use serde::{Deserialize, Serialize};
use store::StoreError;

use crate::doors::Doors;
use crate::rows;
use crate::shipment::{Shipment, ShipmentView};

/// Shipments on a page unless the client says otherwise.
const DEFAULT_LIMIT: u32 = 100;
/// The most shipments on a page.
const MAX_LIMIT: u32 = 500;

/// Which shipments: an order's, or a page of all.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing {
    order_id: Option<String>,
    limit: Option<u32>,
    after: Option<String>,
}

/// A list of shipments.
#[derive(Debug, Serialize)]
pub(super) struct Shipments {
    shipments: Vec<ShipmentView>,
    /// `after` of the next page; absent on the last, and for an order's shipments.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Shipments {
    pub(super) fn whole(shipments: Vec<Shipment>) -> Self {
        Self { shipments: shipments.into_iter().map(ShipmentView::from).collect(), next: None }
    }
}

pub(super) async fn list(
    State(doors): State<Doors>,
    query: Result<Query<Listing>, QueryRejection>,
) -> Result<Json<Shipments>, Problem> {
    let bad = |detail: String| Problem::bad_request("invalid_query", detail);
    let Query(query) = query.map_err(|error| bad(error.body_text()))?;
    if let Some(order_id) = query.order_id {
        let order_id = OrderId::try_from(order_id).map_err(|error| bad(format!("orderId: {error}")))?;
        let found: Result<_, StoreError> = doors.transactor.store().read(move |tx| rows::of_order(tx, &order_id)).await;
        return Ok(Json(Shipments::whole(found?)));
    }
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(bad(format!("limit must be 1 to {MAX_LIMIT}")));
    }
    let after = query.after.unwrap_or_default();
    let found: Result<_, StoreError> = doors.transactor.store().read(move |tx| rows::list(tx, &after, limit)).await;
    let found = found?;
    let full = u32::try_from(found.len()).is_ok_and(|count| count == limit);
    let next = found.last().filter(|_| full).map(|last| last.shipment_id.to_string());
    Ok(Json(Shipments { next, ..Shipments::whole(found) }))
}

pub(super) async fn one(State(doors): State<Doors>, Path(id): Path<String>) -> Result<Json<ShipmentView>, Problem> {
    let shipment_id: ShipmentId = id.parse().map_err(|_| Problem::not_found("shipment"))?;
    let found: Result<_, StoreError> = doors.transactor.store().read(move |tx| rows::one(tx, &shipment_id)).await;
    found?.map(|shipment| Json(shipment.into())).ok_or_else(|| Problem::not_found("shipment"))
}
