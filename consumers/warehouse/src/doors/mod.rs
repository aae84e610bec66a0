//! The REST doors: the same commands as the events, and a look at shipments.

mod look;
mod receive;
mod ship;
mod stop;
mod track;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use events::OrderId;
use runtime::{Problem, Transactor};

use crate::config::{Config, Delays};
use crate::locations::Ledgers;

/// What the doors stand on.
#[derive(Clone)]
pub(crate) struct Doors {
    transactor: Transactor,
    ledgers: Ledgers,
    delays: Delays,
}

/// The REST doors.
pub fn router(transactor: Transactor, config: &Config) -> Router {
    let doors = Doors { transactor, ledgers: Ledgers::new(config), delays: config.delays };
    // The caller's identity is to be checked here, in one layer before every route.
    Router::new()
        .route("/shipments", get(look::list).post(ship::ship))
        .route("/shipments/{shipmentId}", get(look::one))
        .route("/orders/{orderId}/stop", post(stop::stop))
        .route("/shipments/{shipmentId}/tracking", post(track::track))
        .route("/returns", get(receive::list))
        .route("/returns/{returnId}", get(receive::one))
        .route("/returns/{returnId}/received", post(receive::receive))
        .with_state(doors)
}

/// The id in a path. A text that is no id names no order.
fn order_id(text: &str) -> Result<OrderId, Problem> {
    text.parse().map_err(|_| Problem::not_found("order"))
}

/// The longest `traceparent` passed on: version 00 has 55 characters.
const TRACEPARENT_CHARS: usize = 55;

fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    (text.len() == TRACEPARENT_CHARS).then(|| text.to_owned())
}
