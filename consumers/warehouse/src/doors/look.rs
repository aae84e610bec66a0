//! `GET /shipments`, `GET /shipments/{shipmentId}`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use events::{FieldError, OrderId, ShipmentId};
use runtime::{Key, Page, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::StoreError;

use crate::doors::Doors;
use crate::rows;
use crate::shipment::{Shipment, ShipmentView};
use crate::tracking;

/// Which shipments: an order's, or a page of all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing {
    /// Only those of this order.
    #[schemars(with = "Option<OrderId>")]
    order_id: Option<String>,
}

/// A list of shipments.
#[derive(Debug, Serialize, JsonSchema)]
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
    Page { limit, after }: Page<Key>,
    query: Result<Query<Listing>, QueryRejection>,
) -> Result<Json<Shipments>, Problem> {
    let query = query.map_err(|error| FieldError::new("query", error.body_text()))?;
    let Query(Listing { order_id }) = query;
    if let Some(order_id) = order_id {
        let order_id = OrderId::try_from(order_id).map_err(|error| FieldError::new("orderId", error.to_string()))?;
        let found: Result<_, StoreError> = doors.transactor.store().read(move |tx| rows::of_order(tx, &order_id)).await;
        return Ok(Json(Shipments::whole(found?)));
    }
    let after = String::from(after.unwrap_or_default());
    let found: Result<_, StoreError> = doors.transactor.store().read(move |tx| rows::list(tx, &after, limit)).await;
    let found = found?;
    let full = u32::try_from(found.len()).is_ok_and(|count| count == limit);
    let next = found.last().filter(|_| full).map(|last| last.shipment_id.to_string());
    Ok(Json(Shipments { next, ..Shipments::whole(found) }))
}

pub(super) async fn one(State(doors): State<Doors>, Path(id): Path<String>) -> Result<Json<ShipmentView>, Problem> {
    let shipment_id: ShipmentId = id.parse().map_err(|_| Problem::not_found("shipment"))?;
    let found: Result<Option<ShipmentView>, StoreError> = doors
        .transactor
        .store()
        .read(move |tx| {
            let Some(shipment) = rows::one(tx, &shipment_id)? else { return Ok(None) };
            let tracking = tracking::of_shipment(tx, &shipment)?;
            Ok(Some(ShipmentView::with_tracking(shipment, tracking)))
        })
        .await;
    found?.map(Json).ok_or_else(|| Problem::not_found("shipment"))
}
