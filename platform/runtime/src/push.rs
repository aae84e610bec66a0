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

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use events::id::MAX_ID_CHARS;
use events::platform::MinuteElapsed;
use events::pubsub::Message;
use events::{Encoded, Envelope, EnvelopeError, Fact, FieldError, topology};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::delivery::{Deliveries, Outcome};
use crate::doors::{Door, Doors};
use crate::problem::Problem;
use crate::upkeep::Upkeep;
use crate::{body, clock, request_id};

/// The largest push accepted: our largest payload in base64, with room for attributes.
pub const MAX_PUSH_BYTES: usize = 512 * 1024;
/// The type Eventarc gives to a Pub/Sub message it delivers.
const EVENTARC_PUBSUB: &str = "google.cloud.pubsub.topic.v1.messagePublished";

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    message: WrappedMessage<'a>,
    #[serde(default, borrow)]
    subscription: Cow<'a, str>,
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

/// What a push turned out to be.
enum Pushed {
    /// An event.
    Event(Envelope<Encoded>),
    /// A message that is no event of ours and can be kept as a dead letter.
    Broken { message: Message, error: EnvelopeError },
}

/// The caller's token is looked at before a byte of the body is read.
const PUSH: Door = Door::of("Takes an event that Pub/Sub pushes").to_pubsub().described(|it| {
    it.details("A wrapped push, or a CloudEvent, binary or structured.")
        .takes::<serde_json::Map<String, serde_json::Value>>()
        .gives_nothing(204, "it was handled, was handled before, is not for us, or has become a dead letter")
        .refuses(400, "it is neither, and has no id by which it could be kept")
        .refuses(408, "the body did not come in time")
        .refuses(413, "the body is too large")
        .refuses(
            421,
            "its subscription is another consumer's: it came to a wrong address, and is to be delivered again",
        )
        .refuses(503, "not now: it is to be delivered again")
});

/// What a push is delivered to.
#[derive(Clone)]
struct Consuming {
    deliveries: Arc<Deliveries>,
    upkeep: Upkeep,
}

/// Leads `POST /` to the consumer; a minute also to the upkeep.
pub(crate) fn doors(deliveries: Arc<Deliveries>, upkeep: Upkeep) -> Doors {
    Doors::new().post("/", receive, PUSH).with_state(Consuming { deliveries, upkeep })
}

async fn receive(
    State(Consuming { deliveries, upkeep }): State<Consuming>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let bytes = match body::read(body, MAX_PUSH_BYTES).await {
        Ok(bytes) => bytes,
        Err(problem) => return problem.into_response(),
    };
    let pushed = match decode(deliveries.consumer(), &headers, &bytes) {
        Ok(pushed) => pushed,
        Err(problem) => return problem.into_response(),
    };
    // A task of its own: a caller that hangs up must not stop a delivery between its commit and its publish.
    let delivery = tokio::spawn(request_id::carried(async move {
        match pushed {
            Pushed::Event(envelope) => {
                let is_minute = envelope.event_type == MinuteElapsed::TYPE;
                let outcome = deliveries.deliver(envelope).await;
                if is_minute {
                    // Before the answer: afterwards there may be no CPU.
                    upkeep.run(clock::now()).await;
                }
                outcome
            }
            Pushed::Broken { message, error } => deliveries.fail(message, error.into()).await,
        }
    }));
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

fn decode(consumer: &str, headers: &HeaderMap, bytes: &[u8]) -> Result<Pushed, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_event = headers.contains_key("ce-specversion") || content_type.starts_with("application/cloudevents+json");
    let from_eventarc = headers.get("ce-type").is_some_and(|value| value == EVENTARC_PUBSUB);
    if is_event && !from_eventarc { decode_event(headers, bytes) } else { decode_wrapped(consumer, bytes) }
}

fn decode_wrapped(consumer: &str, bytes: &[u8]) -> Result<Pushed, Problem> {
    let message = unwrap(bytes)?;
    check_address(consumer, &message.subscription)?;
    match message.data {
        Ok(data) => match Envelope::try_from(Message { attributes: message.attributes, data }) {
            Ok(envelope) => Ok(Pushed::Event(envelope)),
            // Read once more rather than copied for the rare case that it is broken.
            Err(error) => keep(unwrap(bytes)?, error),
        },
        Err(ref problem) => {
            let error = EnvelopeError::Data(FieldError::new("message.data", problem.clone()));
            keep(message, error)
        }
    }
}

/// A 204 to a push that is meant for somebody else would end the message for them, unheard. It comes when a service has the address that
/// another had until a moment ago.
fn check_address(consumer: &str, subscription: &str) -> Result<(), Problem> {
    let name = subscription.rsplit('/').next().unwrap_or_default();
    match topology::consumer_of(name) {
        Some(other) if other != consumer => {
            let detail = format!("{name} is a subscription of {other}; this is {consumer}");
            Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "misdirected", detail))
        }
        _ => Ok(()),
    }
}

/// A wrapped push, taken apart.
struct Unwrapped {
    subscription: String,
    attributes: BTreeMap<String, String>,
    data: Result<Vec<u8>, String>,
    text: String,
    message_id: String,
}

fn unwrap(bytes: &[u8]) -> Result<Unwrapped, Problem> {
    let wrapped: Wrapped<'_> = serde_json::from_slice(bytes)
        .map_err(|error| Problem::bad_request("bad_push", format!("not a push: {error}")))?;
    let Wrapped { message: WrappedMessage { attributes, data, message_id }, subscription } = wrapped;
    let decoded = BASE64_STANDARD.decode(data.as_bytes()).map_err(|error| format!("is not base64: {error}"));
    let text = if decoded.is_err() { data.into_owned() } else { String::new() };
    let (subscription, message_id) = (subscription.into_owned(), message_id.into_owned());
    Ok(Unwrapped { subscription, attributes, data: decoded, text, message_id })
}

/// Pub/Sub's message id stands in for a missing event id, so that attempts and the dead letter have a name. Without either there
/// is nothing to keep it by.
fn keep(message: Unwrapped, error: EnvelopeError) -> Result<Pushed, Problem> {
    let Unwrapped { mut attributes, data, text, message_id, .. } = message;
    if !attributes.contains_key("ce-id") {
        if message_id.is_empty() {
            return Err(Problem::bad_request("bad_event", error.to_string()));
        }
        attributes.insert("ce-id".to_owned(), message_id.chars().take(MAX_ID_CHARS).collect());
    }
    let message = Message { attributes, data: data.unwrap_or_else(|_| text.into_bytes()) };
    Ok(Pushed::Broken { message, error })
}

fn decode_event(headers: &HeaderMap, bytes: &[u8]) -> Result<Pushed, Problem> {
    let event = cloudevents::binding::http::to_event(headers, bytes.to_vec())
        .map_err(|error| Problem::bad_request("bad_event", format!("not a CloudEvent: {error}")))?;
    match events::cloudevent::to_envelope(&event) {
        Ok(envelope) => Ok(Pushed::Event(envelope)),
        Err(error) => {
            let message = events::cloudevent::to_message(event)
                .map_err(|_| Problem::bad_request("bad_event", error.to_string()))?;
            Ok(Pushed::Broken { message, error })
        }
    }
}
