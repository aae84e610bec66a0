//! The public door: one table of routes, from which the router, the description of the API and the README's table are made.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, Request, State};
use axum::handler::Handler;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, get, on};
use axum::{Json, Router};
use bytes::Bytes;
use events::OrderId;
use futures::future::join;
use runtime::config::ConfigError;
use runtime::{Identity, Metrics, Problem, body};
use serde_json::json;

use crate::admission::{Admission, Principal, Scope, admit, require};
use crate::catalog::{self, Asked, Catalog};
use crate::config::Config;
use crate::describe;
use crate::for_customers;
use crate::forward::{forward, pass_back};
use crate::listing::Listing;
use crate::meters::Meters;
use crate::order::{self, Aggregate};
use crate::owners::Owners;
use crate::peers::Peers;
use crate::placing;
use crate::service::NAME;
use crate::streams::Streams;
use crate::timeline::{self, Timeline};

/// The largest body accepted, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// What Prometheus reads, and its version.
const METRICS_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What handlers stand on.
pub(crate) struct House {
    peers: Arc<Peers>,
    owners: Owners,
    streams: Arc<Streams>,
    metrics: Metrics,
}

/// A gateway, assembled and not yet listening.
pub struct Gateway {
    house: Arc<House>,
    admission: Arc<Admission>,
}

/// A route: who may take it, and where it leads.
pub(crate) struct Route {
    pub method: Method,
    pub path: &'static str,
    /// What a token must have.
    pub scope: Scope,
    handler: MethodRouter<Arc<House>>,
}

fn route<H, T>(method: Method, path: &'static str, scope: Scope, handler: H) -> Route
where
    H: Handler<T, Arc<House>>,
    T: 'static,
{
    let filter = MethodFilter::try_from(method.clone()).expect("the methods of the table are known ones");
    Route { method, path, scope, handler: on(filter, handler) }
}

/// The table.
pub(crate) fn routes() -> Vec<Route> {
    use Scope::{CatalogRead, MetricsRead, OrdersAny, OrdersRead, OrdersWrite};
    vec![
        route(Method::POST, "/v1/orders", OrdersWrite, place),
        route(Method::GET, "/v1/orders", OrdersRead, list),
        route(Method::GET, "/v1/orders/{orderId}", OrdersRead, one),
        route(Method::POST, "/v1/orders/{orderId}/cancel", OrdersWrite, cancel),
        route(Method::POST, "/v1/orders/{orderId}/returns", OrdersWrite, send_back),
        route(Method::GET, "/v1/orders/{orderId}/events", OrdersRead, follow),
        route(Method::GET, "/v1/orders/{orderId}/timeline", OrdersAny, story),
        route(Method::GET, "/v1/catalog", CatalogRead, catalogue),
        route(Method::GET, "/-/metrics", MetricsRead, measured),
    ]
}

impl Gateway {
    /// A gateway whose services are called as `identity`.
    ///
    /// # Errors
    /// [`ConfigError`] when the issuer's settings are none.
    pub fn new(config: &Config, identity: &Identity) -> Result<Self, ConfigError> {
        let peers = Arc::new(Peers::new(config, identity));
        let streams = Streams::new(Arc::clone(&peers), config.streams);
        let metrics = Metrics::new(NAME);
        let meters = Meters::new(&metrics, routes().into_iter().map(|route| (route.method, route.path)));
        metrics.observe("boutique_streams_open", "Streams of orders that are open now.", &[], {
            let streams = Arc::clone(&streams);
            move || f64::from(streams.open_now())
        });
        let house = House { peers, owners: Owners::new(), streams, metrics };
        let admission = Admission::new(config, config.issuer.verifier()?, meters);
        Ok(Self { house: Arc::new(house), admission: Arc::new(admission) })
    }

    pub(crate) fn streams(&self) -> Arc<Streams> {
        Arc::clone(&self.house.streams)
    }

    /// Its doors. Whatever is asked for, the client is counted and, but for what says nothing of anybody, known.
    pub fn router(&self) -> Router {
        let status = |word: &'static str| get(move || async move { Json(json!({ "status": word, "service": NAME })) });
        let guarded = routes().into_iter().fold(Router::new(), |router, Route { path, scope, handler, .. }| {
            let guard = from_fn(move |request: Request, next: Next| require(scope, request, next));
            router.route(path, handler.route_layer(guard))
        });
        guarded
            .merge(describe::api().router())
            .with_state(Arc::clone(&self.house))
            .fallback(|| async { Problem::not_found("path") })
            .method_not_allowed_fallback(|| async {
                Problem::new(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "method_not_allowed",
                    "this path does not take this method",
                )
            })
            .layer(from_fn_with_state(Arc::clone(&self.admission), admit))
            // It keeps nothing, so it is ready as soon as it lives. Who asks is not counted: probes come often.
            .route("/health", status("ok"))
            .route("/ready", status("ready"))
    }
}

type Bearer = Extension<Arc<Principal>>;

async fn place(
    State(house): State<Arc<House>>,
    Extension(principal): Bearer,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = body::read(body, MAX_BODY_BYTES).await?;
    placing::for_oneself(&principal, &body)?;
    let reply = forward(&house.peers.passed_on.checkout, Method::POST, "/orders", &headers, body).await?;
    for_customers::one(&principal, reply).map(pass_back)
}

async fn list(
    State(house): State<Arc<House>>,
    Extension(principal): Bearer,
    headers: HeaderMap,
    listing: Result<Query<Listing>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(listing) = listing.map_err(bad_query)?;
    let path = listing.path(&house.peers, &house.owners, &principal).await?;
    let reply = forward(&house.peers.passed_on.oms, Method::GET, &path, &headers, Bytes::new()).await?;
    for_customers::page(&principal, reply).map(pass_back)
}

async fn one(
    State(house): State<Arc<House>>,
    Extension(principal): Bearer,
    Path(id): Path<String>,
) -> Result<Json<Aggregate>, Problem> {
    let id = order_id(&id)?;
    let admitted = house.owners.admit(&house.peers, &principal, &id);
    let (admitted, aggregate) = join(admitted, order::aggregate(&house.peers, &id)).await;
    admitted?;
    let aggregate = aggregate?;
    Ok(Json(if principal.acts_for_any() { aggregate } else { aggregate.for_customers() }))
}

async fn cancel(
    State(house): State<Arc<House>>,
    Extension(principal): Bearer,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let id = order_id(&id)?;
    let body = body::read(body, MAX_BODY_BYTES).await?;
    house.owners.admit(&house.peers, &principal, &id).await?;
    let path = format!("/orders/{id}/cancel");
    let reply = forward(&house.peers.passed_on.oms, Method::POST, &path, &headers, body).await?;
    for_customers::one(&principal, reply).map(pass_back)
}

async fn send_back(
    State(house): State<Arc<House>>,
    Extension(principal): Bearer,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let id = order_id(&id)?;
    let body = body::read(body, MAX_BODY_BYTES).await?;
    house.owners.admit(&house.peers, &principal, &id).await?;
    let path = format!("/orders/{id}/returns");
    let reply = forward(&house.peers.passed_on.oms, Method::POST, &path, &headers, body).await?;
    for_customers::one(&principal, reply).map(pass_back)
}

async fn follow(
    State(house): State<Arc<House>>,
    Extension(principal): Bearer,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = order_id(&id)?;
    if principal.acts_for_any() {
        house.owners.exists(&house.peers, &id).await?;
    } else {
        house.owners.admit(&house.peers, &principal, &id).await?;
    }
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    house.streams.open(&principal, id, last)
}

async fn story(State(house): State<Arc<House>>, Path(id): Path<String>) -> Result<Json<Timeline>, Problem> {
    timeline::timeline(&house.peers, order_id(&id)?).await.map(Json)
}

async fn catalogue(
    State(house): State<Arc<House>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Catalog>, Problem> {
    let Query(asked) = asked.map_err(bad_query)?;
    catalog::catalog(&house.peers, &asked).await.map(Json)
}

/// Not runtime's own door to the page: that one asks for the token of a service, and who comes here has a client's.
async fn measured(State(house): State<Arc<House>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, METRICS_FORMAT)], house.metrics.render())
}

fn bad_query(rejection: QueryRejection) -> Problem {
    Problem::bad_request("bad_query", rejection.body_text())
}

/// Ids go into paths of services: what is no id names no order.
fn order_id(text: &str) -> Result<OrderId, Problem> {
    text.parse().map_err(|_| Problem::not_found("order"))
}
