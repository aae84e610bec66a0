//! Deliveries that failed here: `GET /attempts?eventId=` or `?orderId=`, oldest first, in pages.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use events::{EventId, FieldError, OrderId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Store, attempts};

use crate::doors::{Caller, Door, Doors};
use crate::page::Page;
use crate::problem::Problem;

/// A page of failed deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempts {
    /// Oldest first.
    pub attempts: Vec<FailedAttempt>,
    /// `after` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// One delivery that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedAttempt {
    /// Which consumer.
    pub consumer: String,
    /// The event's id.
    pub event_id: String,
    /// Wire type.
    pub event_type: String,
    /// Its place among the failures of this event here. 1 or more.
    pub number: u32,
    /// `transient` or `permanent`.
    pub kind: String,
    /// Why, in one word of the documented list.
    pub code: String,
    /// Equal for failures with one cause.
    pub fingerprint: String,
    /// Why, for people.
    pub reason: String,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// Which ones.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Asked {
    /// Of this event.
    #[schemars(with = "Option<EventId>")]
    event_id: Option<String>,
    /// Of this order.
    #[schemars(with = "Option<OrderId>")]
    order_id: Option<String>,
}

const ATTEMPTS: Door = Door::of("Deliveries that failed here")
    .to(&[Caller::Ops, Caller::Operator])
    .described(|it| it.refuses(422, "the query names neither an event nor an order, or both"));

pub(crate) fn doors(service: &'static str, store: Store) -> Doors {
    Doors::new().get("/attempts", list, ATTEMPTS).with_state((service, store))
}

async fn list(
    State((service, store)): State<(&'static str, Store)>,
    Page { limit, after }: Page<i64>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Attempts>, Problem> {
    let Query(asked) = query.map_err(|error| FieldError::new("query", error.body_text()))?;
    let after = after.unwrap_or(0);
    let page = match (asked.event_id, asked.order_id) {
        (Some(id), None) => {
            let id: EventId = id.parse().map_err(|_| FieldError::new("eventId", "is not one"))?;
            store.read(move |tx| attempts::of_event(tx, service, id.as_str(), after, limit)).await?
        }
        (None, Some(id)) => {
            let id: OrderId = id.parse().map_err(|_| FieldError::new("orderId", "is not one"))?;
            store.read(move |tx| attempts::of_subject(tx, &format!("orders/{id}"), after, limit)).await?
        }
        _ => {
            let detail = "the query has to name either an eventId or an orderId";
            return Err(Problem::unprocessable("ambiguous_query", detail));
        }
    };
    let is_full = u32::try_from(page.len()).is_ok_and(|count| count == limit);
    let next = page.last().filter(|_| is_full).map(|last| last.seq);
    Ok(Json(Attempts { attempts: page.into_iter().map(FailedAttempt::from).collect(), next }))
}

impl From<attempts::Recorded> for FailedAttempt {
    fn from(recorded: attempts::Recorded) -> Self {
        Self {
            consumer: recorded.consumer,
            event_id: recorded.event_id,
            event_type: recorded.event_type,
            number: recorded.number,
            kind: recorded.kind,
            code: recorded.code,
            fingerprint: recorded.fingerprint,
            reason: recorded.reason,
            at_ms: recorded.at_ms,
        }
    }
}
