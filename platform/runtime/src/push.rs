//! The HTTP endpoint push subscriptions call, and the envelope shapes it understands.
//!
//! | shape | looks like |
//! |---|---|
//! | wrapped push | JSON `{"message": {"attributes", "data", "messageId"}, "subscription"}` |
//! | binary CloudEvent (Eventarc; unwrapped push with metadata) | `ce-` headers, body is the payload |
//! | structured CloudEvent | `Content-Type: application/cloudevents+json` |
//!
//! Eventarc's own `google.cloud.pubsub.topic.v1.messagePublished` is a binary CloudEvent around a wrapped push: it is unwrapped twice.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use events::pubsub::Message;
use events::{Encoded, Envelope, EnvelopeError};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::body;
use crate::delivery::{Deliveries, Outcome};
use crate::problem::Problem;

/// The largest push accepted: our largest payload in base64, with room for attributes.
pub const MAX_PUSH_BYTES: usize = 512 * 1024;
/// The type Eventarc gives to a Pub/Sub message it delivers.
const EVENTARC_PUBSUB: &str = "google.cloud.pubsub.topic.v1.messagePublished";

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    message: WrappedMessage<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrappedMessage<'a> {
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default, borrow)]
    data: Cow<'a, str>,
    #[serde(default, borrow)]
    message_id: Cow<'a, str>,
}

/// A push whose message cannot be an event, but can be kept.
struct Broken {
    message: Message,
    error: EnvelopeError,
}

/// Routes `POST /` to the consumer.
pub(crate) fn router(deliveries: Arc<Deliveries>) -> Router {
    Router::new().route("/", post(receive)).with_state(deliveries)
}

async fn receive(State(deliveries): State<Arc<Deliveries>>, headers: HeaderMap, body: Body) -> Response {
    // The caller's identity (an OIDC token) is to be checked here, before a byte of the body is read.
    let bytes = match body::read(body, MAX_PUSH_BYTES).await {
        Ok(bytes) => bytes,
        Err(problem) => return problem.into_response(),
    };
    let decoded = match decode(&headers, &bytes) {
        Ok(decoded) => decoded,
        Err(problem) => return problem.into_response(),
    };
    // A task of its own: a caller that hangs up must not stop a delivery between its commit and its publish.
    let delivery = tokio::spawn(async move {
        match decoded {
            Ok(envelope) => deliveries.deliver(envelope).await,
            Err(Broken { message, error }) => deliveries.fail(message, error.into()).await,
        }
    });
    match delivery.await {
        Ok(outcome) => answer(&outcome),
        Err(_) => Problem::internal("the delivery panicked").into_response(),
    }
}

/// What Pub/Sub is told.
fn answer(outcome: &Outcome) -> Response {
    match outcome {
        Outcome::Transient(failure) => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, failure.code(), "not now, deliver again").into_response()
        }
        Outcome::Handled(_) | Outcome::Duplicate | Outcome::NotForUs | Outcome::Permanent(_) => {
            StatusCode::NO_CONTENT.into_response()
        }
    }
}

fn decode(headers: &HeaderMap, bytes: &[u8]) -> Result<Result<Envelope<Encoded>, Broken>, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_event = headers.contains_key("ce-specversion") || content_type.starts_with("application/cloudevents+json");
    let from_eventarc = headers.get("ce-type").is_some_and(|value| value == EVENTARC_PUBSUB);
    if is_event && !from_eventarc { decode_event(headers, bytes) } else { decode_wrapped(bytes) }
}

fn decode_wrapped(bytes: &[u8]) -> Result<Result<Envelope<Encoded>, Broken>, Problem> {
    let bad = |detail: &str| Problem::new(StatusCode::BAD_REQUEST, "bad_push", detail);
    let wrapped: Wrapped<'_> = serde_json::from_slice(bytes).map_err(|error| bad(&format!("not a push: {error}")))?;
    let Wrapped { message: WrappedMessage { mut attributes, data, message_id } } = wrapped;
    let data = match BASE64_STANDARD.decode(data.as_bytes()) {
        Ok(data) => data,
        Err(error) if message_id.is_empty() => return Err(bad(&format!("message.data is not base64: {error}"))),
        Err(error) => {
            let error = EnvelopeError::Data(events::FieldError::new("message.data", format!("is not base64: {error}")));
            return Ok(Err(broken(attributes, data.into_owned().into_bytes(), error, &message_id)));
        }
    };
    if !message_id.is_empty() && !attributes.contains_key("ce-id") {
        let error = EnvelopeError::Missing("id");
        return Ok(Err(broken(std::mem::take(&mut attributes), data, error, &message_id)));
    }
    open(Message { attributes, data })
}

fn decode_event(headers: &HeaderMap, bytes: &[u8]) -> Result<Result<Envelope<Encoded>, Broken>, Problem> {
    let event = cloudevents::binding::http::to_event(headers, bytes.to_vec())
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "bad_event", format!("not a CloudEvent: {error}")))?;
    match events::cloudevent::to_envelope(&event) {
        Ok(envelope) => Ok(Ok(envelope)),
        Err(error) => {
            let message = events::cloudevent::to_message(event)
                .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "bad_event", error.to_string()))?;
            Ok(Err(Broken { message, error }))
        }
    }
}

fn open(message: Message) -> Result<Result<Envelope<Encoded>, Broken>, Problem> {
    let kept = message.clone();
    match Envelope::try_from(message) {
        Ok(envelope) => Ok(Ok(envelope)),
        Err(error) if kept.attributes.contains_key("ce-id") => Ok(Err(Broken { message: kept, error })),
        Err(error) => Err(Problem::new(StatusCode::BAD_REQUEST, "bad_event", error.to_string())),
    }
}

/// Pub/Sub's message id stands in for the event id, so that attempts and the dead letter have a name.
fn broken(mut attributes: BTreeMap<String, String>, data: Vec<u8>, error: EnvelopeError, id: &str) -> Broken {
    attributes.entry("ce-id".to_owned()).or_insert_with(|| id.chars().take(64).collect());
    Broken { message: Message { attributes, data }, error }
}
