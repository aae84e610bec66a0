//! The public door: routes, and the one place every request passes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use events::OrderId;
use runtime::peer::TRACEPARENT;
use runtime::{Identity, Problem, body, peer};
use serde_json::json;

use crate::catalog::{self, Catalog, Paging};
use crate::config::Config;
use crate::forward::forward;
use crate::order::{self, Aggregate};
use crate::peers::Peers;
use crate::service::NAME;
use crate::timeline::{self, Timeline};

/// The largest body accepted, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The routes of the table in the README; services are called as `identity`.
pub fn router(config: &Config, identity: &Identity) -> Router {
    let status = |word: &'static str| get(move || async move { Json(json!({ "status": word, "service": NAME })) });
    Router::new()
        .route("/v1/orders", post(place).get(list))
        .route("/v1/orders/{orderId}", get(one))
        .route("/v1/orders/{orderId}/cancel", post(cancel))
        .route("/v1/orders/{orderId}/returns", post(send_back))
        .route("/v1/orders/{orderId}/timeline", get(story))
        .route("/v1/catalog", get(catalogue))
        .with_state(Arc::new(Peers::new(config, identity)))
        .layer(from_fn(admit))
        // It keeps nothing, so it is ready as soon as it lives.
        .route("/health", status("ok"))
        .route("/ready", status("ready"))
        .fallback(|| async { Problem::not_found("path") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path does not take this method")
        })
}

/// Every request of a client passes here first. Whose token it is (JWT), how many it may send (rate limit) and which copy of a
/// service answers it (load balancing) are decided here; today it gives each request its trace.
async fn admit(mut request: Request, next: Next) -> Response {
    let trace = HeaderValue::try_from(peer::trace_of(request.headers())).expect("a trace context is ASCII");
    let name = HeaderName::from_static(TRACEPARENT);
    request.headers_mut().insert(name.clone(), trace.clone());
    let mut response = next.run(request).await;
    response.headers_mut().insert(name, trace);
    response
}

async fn place(State(peers): State<Arc<Peers>>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let body = body::read(body, MAX_BODY_BYTES).await?;
    forward(&peers.checkout, Method::POST, "/orders", &headers, body).await
}

async fn list(State(peers): State<Arc<Peers>>, headers: HeaderMap, uri: Uri) -> Result<Response, Problem> {
    let path = uri.query().map_or_else(|| "/orders".to_owned(), |query| format!("/orders?{query}"));
    forward(&peers.oms, Method::GET, &path, &headers, Bytes::new()).await
}

async fn one(State(peers): State<Arc<Peers>>, Path(id): Path<String>) -> Result<Json<Aggregate>, Problem> {
    order::aggregate(&peers, &order_id(&id)?).await.map(Json)
}

async fn cancel(
    State(peers): State<Arc<Peers>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let path = format!("/orders/{}/cancel", order_id(&id)?);
    let body = body::read(body, MAX_BODY_BYTES).await?;
    forward(&peers.oms, Method::POST, &path, &headers, body).await
}

async fn send_back(
    State(peers): State<Arc<Peers>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let path = format!("/orders/{}/returns", order_id(&id)?);
    let body = body::read(body, MAX_BODY_BYTES).await?;
    forward(&peers.oms, Method::POST, &path, &headers, body).await
}

async fn story(State(peers): State<Arc<Peers>>, Path(id): Path<String>) -> Result<Json<Timeline>, Problem> {
    timeline::timeline(&peers, order_id(&id)?).await.map(Json)
}

async fn catalogue(
    State(peers): State<Arc<Peers>>,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<Catalog>, Problem> {
    let Query(paging) = paging.map_err(|error| Problem::bad_request("bad_query", error.body_text()))?;
    catalog::catalog(&peers, paging).await.map(Json)
}

/// Ids go into paths of services: what is no id names no order.
fn order_id(text: &str) -> Result<OrderId, Problem> {
    text.parse().map_err(|_| Problem::not_found("order"))
}
