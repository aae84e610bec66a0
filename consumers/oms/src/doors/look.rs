//! `GET /orders`, `GET /orders/{orderId}`, `GET /orders/stuck`, `GET /orders/summary`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use events::{CustomerId, FieldError, Timestamp};
use runtime::{Key, Page, Problem, clock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::StoreError;

use crate::deadlines::Deadlines;
use crate::decide::Status;
use crate::doors::{Doors, order_id};
use crate::order::Order;
use crate::rows;
use crate::view::{OrderDetail, OrderView};

/// Which orders.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing {
    /// Only those that stand there.
    #[schemars(with = "Option<Status>")]
    status: Option<String>,
    /// Only theirs.
    #[schemars(with = "Option<CustomerId>")]
    customer_id: Option<String>,
}

/// A page of orders.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Orders {
    orders: Vec<OrderView>,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Stuck orders, and how fresh that is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stuck {
    #[serde(flatten)]
    orders: Orders,
    /// When a minute was heard last: nothing is found stuck without one. Absent when none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    minute_heard_at: Option<Timestamp>,
}

pub(super) async fn list(
    State(doors): State<Doors>,
    Page { limit, after }: Page<Key>,
    query: Result<Query<Listing>, QueryRejection>,
) -> Result<Json<Orders>, Problem> {
    let query = query.map_err(|error| FieldError::new("query", error.body_text()))?;
    let Query(Listing { status, customer_id }) = query;
    let named = |name: &str| Status::named(name).ok_or_else(|| FieldError::new("status", "is not one"));
    let status = status.as_deref().map(named).transpose()?;
    let customer_id = customer_id.map(CustomerId::try_from).transpose();
    let customer_id = customer_id.map_err(|error| FieldError::new("customerId", error.to_string()))?;
    let after = String::from(after.unwrap_or_default());
    let store = doors.transactor.store().clone();
    let page = store.read(move |tx| {
        let customer_id = customer_id.as_ref().map(CustomerId::as_str);
        Orders::page(rows::list(tx, status, customer_id, &after, limit)?, limit, &doors.deadlines)
    });
    Ok(Json(page.await?))
}

pub(super) async fn stuck(
    State(doors): State<Doors>,
    Page { limit, after }: Page<Key>,
) -> Result<Json<Stuck>, Problem> {
    let (after, store) = (String::from(after.unwrap_or_default()), doors.transactor.store().clone());
    let page = store.read(move |tx| {
        let orders = Orders::page(rows::stuck(tx, &after, limit)?, limit, &doors.deadlines)?;
        Ok::<_, StoreError>(Stuck { orders, minute_heard_at: rows::minute_heard_ms(tx)?.map(clock::from_ms) })
    });
    Ok(Json(page.await?))
}

impl Orders {
    fn page(found: Vec<(String, Order)>, limit: u32, deadlines: &Deadlines) -> Result<Self, StoreError> {
        let full = u32::try_from(found.len()).is_ok_and(|count| count == limit);
        let next = found.last().filter(|_| full).map(|(id, _)| id.clone());
        let view = |(id, order)| OrderView::new(id, order, deadlines);
        Ok(Self { orders: found.into_iter().map(view).collect::<Result<_, _>>()?, next })
    }
}

pub(super) async fn one(State(doors): State<Doors>, Path(id): Path<String>) -> Result<Json<OrderDetail>, Problem> {
    let (order_id, deadlines) = (order_id(&id)?, doors.deadlines);
    let found = doors.transactor.store().read(move |tx| {
        let order = rows::find(tx, &order_id)?;
        order.map(|order| OrderDetail::new(order_id.to_string(), order, &deadlines)).transpose()
    });
    let found: Option<OrderDetail> = found.await.map_err(|error: StoreError| Problem::from(error))?;
    found.map(Json).ok_or_else(|| Problem::not_found("order"))
}

pub(super) async fn summary(State(doors): State<Doors>) -> Result<Json<BTreeMap<String, i64>>, Problem> {
    let mut counts: BTreeMap<String, i64> = Status::ALL.iter().map(|status| (status.as_str().to_owned(), 0)).collect();
    counts.extend(doors.transactor.store().read(rows::count).await?);
    Ok(Json(counts))
}
