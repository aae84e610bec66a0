//! What a replay asks a consumer: `POST /dry-run`, what would become of these events now; `POST /outcomes`, what has become of those.
//!
//! A dry run does everything a delivery does up to the commit, its questions to other services included, and takes it back: nothing is
//! written, recorded or published.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use events::pubsub::Message;
use events::{Envelope, FieldError};
use futures::{FutureExt, StreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{StoreError, Tx, attempts, inbox};

use crate::body::{self, JsonBytes};
use crate::codes::{Code, Kind};
use crate::delivery::{Deliveries, Outcome};
use crate::doors::{Caller, Door, Doors};
use crate::failure::{Failure, fingerprint};
use crate::problem::Problem;

/// Events in one dry run, at most.
pub const MAX_DRY_RUN_EVENTS: usize = 100;
/// The largest body of a dry run: events of ordinary size by the hundred, or a dozen of the largest.
pub const MAX_DRY_RUN_BYTES: usize = 4 * 1024 * 1024;
/// Events whose outcome is asked at once, at most.
pub const MAX_OUTCOME_EVENTS: usize = 1_000;
/// The largest body of a question for outcomes: a source and an id of their greatest length each.
const MAX_OUTCOME_BYTES: usize = 2 * 1024 * 1024;
/// How long one dry run tries. Ops waits 30 s for an answer, and one that says of some events that they could not be tried is worth more
/// to it than none.
const DRY_RUN_PATIENCE: Duration = Duration::from_secs(20);
/// Events of one dry run that are tried side by side, so that their questions to other services do not queue up.
const SIDE_BY_SIDE: usize = 8;

/// What is to be tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DryRun {
    /// 1 to 100 events.
    #[schemars(length(min = 1, max = 100))]
    pub events: Vec<Sample>,
}

/// An event as it would be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// The message's attributes.
    pub attributes: BTreeMap<String, String>,
    /// The message's data.
    pub data: String,
}

/// What would become of each event, in the order asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rehearsals {
    /// One for each event.
    pub outcomes: Vec<Rehearsed>,
}

/// What would become of an event if it came now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Rehearsed {
    /// It would be handled.
    Applied {
        /// Wire types of what would be said, in order.
        says: Vec<String>,
    },
    /// It was handled before: nothing would happen.
    Duplicate,
    /// The consumer does not react to the type.
    NotForUs,
    /// It would go to the dead letters.
    Permanent {
        /// Why, in one word.
        code: String,
        /// Why, for people.
        reason: String,
    },
    /// It would be tried again later.
    Transient {
        /// Why, in one word.
        code: String,
        /// Why, for people.
        reason: String,
    },
}

/// Whose outcome is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// 1 to 1,000 events.
    #[schemars(length(min = 1, max = 1_000))]
    pub events: Vec<EventKey>,
}

/// The key of deduplication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventKey {
    /// The event's source.
    pub source: String,
    /// The event's id.
    pub id: String,
}

/// What has become of each event, in the order asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fates {
    /// One for each event.
    pub outcomes: Vec<Fate>,
}

/// What has become of an event here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Fate {
    /// It was handled.
    Handled {
        /// When, in milliseconds since the Unix epoch.
        at_ms: i64,
    },
    /// It was tried and not handled; this is how it failed last.
    Failed {
        /// Whether it comes again by itself.
        kind: Kind,
        /// Why, in one word.
        code: String,
        /// Why, for people.
        reason: String,
        /// Equal for failures with one cause.
        fingerprint: String,
        /// How often it has failed. 1 or more.
        number: u32,
        /// When, in milliseconds since the Unix epoch.
        at_ms: i64,
    },
    /// Never heard of, or forgotten.
    Unknown,
}

pub(crate) fn doors(deliveries: Arc<Deliveries>) -> Doors {
    const TRY: Door = Door::of("Tries events and takes it back")
        .to(&[Caller::Ops, Caller::Operator])
        .described(|it| it.takes::<DryRun>());
    const ASK: Door = Door::of("What has become of events")
        .to(&[Caller::Ops, Caller::Operator])
        .described(|it| it.takes::<Question>());
    Doors::new().post("/dry-run", dry_run, TRY).post("/outcomes", outcomes, ASK).with_state(deliveries)
}

async fn dry_run(
    State(deliveries): State<Arc<Deliveries>>,
    JsonBytes(body): JsonBytes<MAX_DRY_RUN_BYTES>,
) -> Result<Json<Rehearsals>, Problem> {
    let DryRun { events } = body::decode(&body)?;
    check_count(events.len(), MAX_DRY_RUN_EVENTS)?;
    let deliveries = &deliveries;
    let time_is_up = tokio::time::sleep(DRY_RUN_PATIENCE).shared();
    let tried = stream::iter(events).map(|event| rehearse_until(time_is_up.clone(), deliveries, event));
    let tried = tried.buffered(SIDE_BY_SIDE);
    Ok(Json(Rehearsals { outcomes: tried.collect().await }))
}

/// What is not known when the time is up can be asked again: whoever the reaction asks may be down.
async fn rehearse_until(time_is_up: impl Future<Output = ()>, deliveries: &Deliveries, event: Sample) -> Rehearsed {
    tokio::select! {
        biased;
        () = time_is_up => Rehearsed::Transient {
            code: Code::PeerUnavailable.as_str().to_owned(),
            reason: "the dry run's time was up before it was known".to_owned(),
        },
        rehearsed = rehearse(deliveries, event) => rehearsed,
    }
}

async fn rehearse(deliveries: &Deliveries, event: Sample) -> Rehearsed {
    let message = Message { attributes: event.attributes, data: event.data.into_bytes() };
    match Envelope::try_from(message) {
        Ok(envelope) => deliveries.rehearse(envelope).await.into(),
        Err(error) => Outcome::from(Failure::from(error)).into(),
    }
}

async fn outcomes(
    State(deliveries): State<Arc<Deliveries>>,
    JsonBytes(body): JsonBytes<MAX_OUTCOME_BYTES>,
) -> Result<Json<Fates>, Problem> {
    let Question { events } = body::decode(&body)?;
    check_count(events.len(), MAX_OUTCOME_EVENTS)?;
    let consumer = deliveries.consumer();
    let asked = deliveries
        .store()
        .read(move |tx| events.iter().map(|key| fate(tx, consumer, key)).collect::<Result<Vec<_>, StoreError>>());
    Ok(Json(Fates { outcomes: asked.await? }))
}

fn fate(tx: &mut Tx<'_>, consumer: &str, key: &EventKey) -> Result<Fate, StoreError> {
    if let Some(at_ms) = inbox::handled_at_ms(tx, consumer, &key.source, &key.id)? {
        return Ok(Fate::Handled { at_ms });
    }
    let last = attempts::last(tx, consumer, &key.id)?;
    Ok(last.map_or(Fate::Unknown, |last| Fate::Failed {
        kind: if last.kind == Kind::Permanent.as_str() { Kind::Permanent } else { Kind::Transient },
        code: last.code,
        reason: last.reason,
        fingerprint: last.fingerprint,
        number: last.number,
        at_ms: last.at_ms,
    }))
}

fn check_count(count: usize, most: usize) -> Result<(), FieldError> {
    if (1..=most).contains(&count) { Ok(()) } else { Err(FieldError::new("events", format!("must be 1 to {most}"))) }
}

impl Rehearsed {
    /// The fingerprint of a failure; `None` for what is none.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        match self {
            Rehearsed::Permanent { code, reason } | Rehearsed::Transient { code, reason } => {
                Some(fingerprint(code, reason))
            }
            _ => None,
        }
    }
}

impl From<Outcome> for Rehearsed {
    fn from(outcome: Outcome) -> Self {
        let words = |failure: &Failure| (failure.code().to_owned(), failure.reason().to_owned());
        match outcome {
            Outcome::Handled(said) => {
                let types = said.into_iter().filter_map(|mut message| message.attributes.remove("ce-type"));
                Rehearsed::Applied { says: types.collect() }
            }
            Outcome::Duplicate => Rehearsed::Duplicate,
            Outcome::NotForUs => Rehearsed::NotForUs,
            Outcome::Permanent(failure) => {
                let (code, reason) = words(&failure);
                Rehearsed::Permanent { code, reason }
            }
            Outcome::Transient(failure) => {
                let (code, reason) = words(&failure);
                Rehearsed::Transient { code, reason }
            }
        }
    }
}
