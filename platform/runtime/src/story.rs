//! What this service said and handled about one order: `GET /events/{orderId}`, the service's part of the order's timeline.

use axum::Json;
use axum::extract::{Path, State};
use events::OrderId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Store, StoreError, attempts, inbox, outbox};

use crate::doors::{Caller, Door, Doors};
use crate::problem::Problem;

/// A service's part of an order's story.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Story {
    /// Events it said, in order.
    pub said: Vec<Said>,
    /// Events it handled, in order.
    pub handled: Vec<Handled>,
}

/// An event a service said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// The event's id.
    pub id: String,
    /// Wire type.
    pub event_type: String,
    /// The event that caused it.
    pub causation_id: Option<String>,
    /// When it was committed, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// When Pub/Sub had it; `None` while it waits in the outbox.
    pub sent_at_ms: Option<i64>,
    /// The topic it went to; a dead letter's names the consumer that failed.
    pub topic: String,
    /// The payload.
    pub data: serde_json::Value,
}

/// An event a consumer handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Handled {
    /// Which consumer.
    pub consumer: String,
    /// The event's id.
    pub id: String,
    /// When its effect was committed, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Failed attempts before that.
    pub failed_attempts: u32,
}

/// What was said and handled may be seen by those who show timelines.
const STORY: Door =
    Door::of("What this service said and handled of an order").to(&[Caller::Gateway, Caller::Ops, Caller::Operator]);

pub(crate) fn doors(store: Store) -> Doors {
    Doors::new().get("/events/{orderId}", story, STORY).with_state(store)
}

async fn story(State(store): State<Store>, Path(order_id): Path<String>) -> Result<Json<Story>, Problem> {
    let order_id: OrderId = order_id.parse().map_err(|_| Problem::not_found("order"))?;
    let subject = format!("orders/{order_id}");
    let story = store.read(move |tx| {
        let said = outbox::said(tx, &subject)?.into_iter().map(Said::from).collect();
        let mut handled = Vec::new();
        for receipt in inbox::handled(tx, &subject)? {
            let failed_attempts = attempts::count(tx, &receipt.consumer, &receipt.id)?;
            handled.push(Handled {
                consumer: receipt.consumer,
                id: receipt.id,
                at_ms: receipt.handled_at_ms,
                failed_attempts,
            });
        }
        Ok::<_, StoreError>(Story { said, handled })
    });
    Ok(Json(story.await?))
}

impl From<outbox::OutboxRow> for Said {
    fn from(row: outbox::OutboxRow) -> Self {
        let attributes: serde_json::Value = serde_json::from_str(&row.attributes).unwrap_or_default();
        let causation_id = attributes["ce-causationid"].as_str().map(ToOwned::to_owned);
        let event_id = attributes["ce-id"].as_str().unwrap_or(&row.event_id).to_owned();
        Self {
            id: event_id,
            event_type: row.event_type,
            causation_id,
            at_ms: row.created_at_ms,
            sent_at_ms: row.sent_at_ms,
            topic: row.topic,
            data: serde_json::from_str(&row.data).unwrap_or_default(),
        }
    }
}
