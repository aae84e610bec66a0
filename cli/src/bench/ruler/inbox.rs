//! Ruler S_inbox: what every delivery costs whatever the reaction does. One handler parses a Pub/Sub push, claims its inbox row and
//! writes one row, group-committed. Nothing is said and nothing published.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use events::order::OrderConfirmed;
use events::pubsub::Message;
use events::{Event, EventId, Origin};
use http::StatusCode;
use runtime::clock;
use serde::Deserialize;
use serde_json::{Value, json};
use store::inbox::{self, Receipt};
use store::{Migration, Store, StoreError, Tx, params};

use crate::bench::load::Bodies;

pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "effects",
    sql: "CREATE TABLE effects (event_id TEXT PRIMARY KEY, data TEXT NOT NULL, at_ms BIGINT NOT NULL)",
}];
const INSERT: &str = "INSERT INTO effects (event_id, data, at_ms) VALUES (?1, ?2, ?3)";
/// Stands in the template where each push has an id of its own; as long as that id.
const ID_PLACE: &str = "00000000-0000-7000-8000-000000000000";

#[derive(Deserialize)]
struct Push {
    message: Pushed,
}

#[derive(Deserialize)]
struct Pushed {
    attributes: BTreeMap<String, String>,
    data: String,
}

pub(super) fn router(store: Store) -> Router {
    Router::new().route("/", post(receive)).with_state(store)
}

async fn receive(State(store): State<Store>, body: Bytes) -> Response {
    let Some((attributes, data)) = parse(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match store.write(clock::now_ms(), move |tx| handle(tx, &attributes, &data)).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

fn parse(body: &[u8]) -> Option<(BTreeMap<String, String>, String)> {
    let push: Push = serde_json::from_slice(body).ok()?;
    let data = BASE64_STANDARD.decode(push.message.data).ok()?;
    Some((push.message.attributes, String::from_utf8(data).ok()?))
}

fn handle(tx: &mut Tx<'_>, attributes: &BTreeMap<String, String>, data: &str) -> Result<(), StoreError> {
    let of = |name: &str| attributes.get(name).map_or("", String::as_str);
    let id = of("ce-id");
    let receipt = Receipt {
        consumer: "ruler",
        source: of("ce-source"),
        id,
        event_type: of("ce-type"),
        subject: of("ce-subject"),
    };
    if inbox::claim(tx, &receipt)? {
        let now_ms = tx.now_ms();
        tx.execute(INSERT, params![id, data, now_ms])?;
    }
    Ok(())
}

/// Pushes of a confirmed order of three lines, in the broker's envelope, each with an id of its own.
///
/// # Errors
/// When the events crate refuses the order the template is made of.
pub fn pushes() -> anyhow::Result<Bodies> {
    let template = template()?;
    let parts: Vec<String> = template.split(ID_PLACE).map(str::to_owned).collect();
    Ok(Arc::new(move |n| {
        let id = format!("{}{n:012x}", &ID_PLACE[..24]);
        Bytes::from(parts.join(&id))
    }))
}

fn template() -> anyhow::Result<String> {
    let usd = |units: i64| json!({ "currencyCode": "USD", "units": units, "nanos": 990_000_000 });
    let line =
        |product: &str| json!({ "productId": product, "quantity": 2, "unitPrice": usd(12), "ledger": "inventory" });
    let order = json!({
        "orderId": ID_PLACE, "customerId": "bench-00001", "lines": [line("BENCH-0001"), line("BENCH-0102"), line("BENCH-0203")],
        "discount": usd(0), "total": usd(77), "risk": "LOW",
    });
    let fact: OrderConfirmed = serde_json::from_value(order).context("the ruler's order is not an OrderConfirmed")?;
    let id: EventId = ID_PLACE.parse()?;
    let origin = Origin {
        source: "//onlineboutique.com/checkout".to_owned(),
        time: clock::now(),
        correlation_id: None,
        causation_id: None,
        traceparent: Some(clock::new_traceparent()),
    };
    let Message { attributes, data } = Message::from(Event::from(fact).seal(id, &origin)?);
    let time = clock::now().to_string();
    let push: Value = json!({
        "message": {
            "attributes": attributes, "data": BASE64_STANDARD.encode(data), "messageId": "1", "message_id": "1",
            "publishTime": &time, "publish_time": &time, "orderingKey": ID_PLACE,
        },
        "subscription": "projects/local/subscriptions/order-events.ruler", "deliveryAttempt": 1,
    });
    Ok(push.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_push_has_an_id_of_its_own_and_can_be_parsed() {
        let pushes = pushes().unwrap();
        let (first, data) = parse(&pushes(1)).unwrap();
        let (second, _) = parse(&pushes(2)).unwrap();
        assert_eq!(first["ce-type"], "com.onlineboutique.order.confirmed.v1");
        assert_ne!(first["ce-id"], second["ce-id"]);
        assert_ne!(first["ce-subject"], second["ce-subject"]);
        assert!(data.contains("BENCH-0102"));
    }
}
