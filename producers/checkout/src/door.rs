//! The REST door.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use events::{FieldError, OrderId};
use runtime::Caller::{Gateway, Operator};
use runtime::clock::{self, Stopwatch};
use runtime::{Door, Doors, Identity, JsonBytes, Metrics, Page, Problem, Transactor, request_id, trace_context};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::answer::{Answer, Confirmed, to_json};
use crate::config::Config;
use crate::orders::{self, Order};
use crate::place::{Asked, Checkout};
use crate::request::{Basket, Body, Key};

/// The largest order accepted, in bytes: 100 lines take 12 KB.
pub(crate) const MAX_ORDER_BYTES: usize = 64 * 1024;

/// `POST /orders`, `GET /orders`, `GET /orders/{orderId}`; the edges are called as `identity`.
pub fn doors(transactor: Transactor, config: &Config, identity: &Identity, metrics: &Metrics) -> Doors {
    const PLACE: Door = Door::of("Validates and confirms an order").to(&[Gateway, Operator]).described(|it| {
        it.idempotency_key("^[!-~]{1,128}$")
            .takes::<Body>()
            .refuses(403, "the risk is too high")
            .refuses(409, "some lines are not in stock")
            .refuses(
                422,
                "no such customer or product, a currency we do not trade in, or the key was used for another order",
            )
    });
    const ONE: Door = Door::of("One order as it was answered")
        .to(&[Gateway, Operator])
        .described(|it| it.gives::<Told>(200, "what was answered"));
    let checkout = Arc::new(Checkout::new(transactor, config, identity, metrics));
    Doors::new()
        .post("/orders", place, PLACE)
        .get("/orders", list, Door::of("Lists orders as they were placed").to(&[Gateway, Operator]))
        .get("/orders/{orderId}", one, ONE)
        .with_state(checkout)
}

async fn place(
    State(checkout): State<Arc<Checkout>>,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes<MAX_ORDER_BYTES>,
) -> Result<Answer, Problem> {
    let since = Stopwatch::start();
    let basket = Basket::parse(&bytes)?;
    let mut keys = headers.get_all("idempotency-key").iter();
    let key = keys.next().map(|value| Key::parse(value.as_bytes(), &basket)).transpose()?;
    if keys.next().is_some() {
        return Err(FieldError::new("Idempotency-Key", "is given more than once").into());
    }
    let asked = Asked { basket, key, traceparent: trace_context::of(&headers), since };
    // A task of its own: a client that hangs up drops this handler, and the order must not stop half-way.
    let placing = tokio::spawn(request_id::carried(async move { checkout.place(asked).await }));
    placing.await.unwrap_or_else(|error| Err(Problem::internal(&error.to_string())))
}

/// What an order is shown as.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is looked at: answers are encoded once, when they are given")]
enum Told {
    Confirmed(Confirmed<'static>),
    Rejected(Rejected<'static>),
}

/// A rejected order as this service keeps it; a confirmed one is kept as the client was told.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Rejected<'a> {
    order_id: &'a str,
    status: &'a str,
    customer_id: &'a str,
    #[schemars(with = "Problem")]
    problem: &'a RawValue,
    placed_at: String,
}

async fn one(State(checkout): State<Arc<Checkout>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id: OrderId = id.parse().map_err(|_| Problem::not_found("order"))?;
    let order = checkout.transactor.store().read(move |tx| orders::by_id(tx, id.as_str())).await?;
    let order = order.ok_or_else(|| Problem::not_found("order"))?;
    let body = if order.status == orders::CONFIRMED {
        order.response
    } else {
        let problem: &RawValue =
            serde_json::from_str(&order.response).map_err(|error| Problem::internal(&error.to_string()))?;
        to_json(&Rejected {
            order_id: &order.order_id,
            status: &order.status,
            customer_id: &order.customer_id,
            problem,
            placed_at: clock::from_ms(order.placed_at_ms).to_string(),
        })
    };
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Listed {
    order_id: String,
    status: String,
    customer_id: String,
    placed_at: String,
}

#[derive(Serialize, JsonSchema)]
struct List {
    orders: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

async fn list(State(checkout): State<Arc<Checkout>>, Page { limit, after }: Page<i64>) -> Result<Json<List>, Problem> {
    let after = after.unwrap_or(0);
    // One more than wanted tells whether there is a next page.
    let mut orders = checkout.transactor.store().read(move |tx| orders::page(tx, after, limit + 1)).await?;
    let more = orders.len() > limit as usize;
    orders.truncate(limit as usize);
    let next = if more { orders.last().map(|order| order.seq.to_string()) } else { None };
    Ok(Json(List { orders: orders.into_iter().map(Listed::from).collect(), next }))
}

impl From<Order> for Listed {
    fn from(Order { order_id, status, customer_id, placed_at_ms, .. }: Order) -> Self {
        Self { order_id, status, customer_id, placed_at: clock::from_ms(placed_at_ms).to_string() }
    }
}
