//! `GET /groups`, `GET /letters`, `GET /letters/{letterId}`, `POST /letters/archive`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use events::{EventId, FieldError, OrderId, Timestamp, personal};
use runtime::{FailedAttempt, JsonBody, Key, Page, Problem, Story, clock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::StoreError;

use crate::doors::Doors;
use crate::doors::edits::EditView;
use crate::filter::{self, Filter};
use crate::rows::audit::{self, About};
use crate::rows::edits;
use crate::rows::groups::{self, Group};
use crate::rows::letters::{self, DeathRow, LetterRow};
use crate::signed::Signed;

/// Letters archived in one request, at most.
const MAX_ARCHIVED: u32 = 100_000;
/// Letters read at a time.
const PAGE: u32 = 500;

/// The filter as a query.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Asked {
    #[serde(default)]
    #[schemars(schema_with = "filter::consumer")]
    consumer: Option<String>,
    #[serde(rename = "type")]
    event_type: Option<String>,
    order: Option<String>,
    code: Option<String>,
    fingerprint: Option<String>,
    #[serde(default)]
    #[schemars(schema_with = "filter::state")]
    state: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Groups {
    groups: Vec<Group>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Listed {
    letters: Vec<LetterRow>,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A letter with everything there is about it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Shown {
    letter: LetterRow,
    /// Its attributes, masked.
    attributes: BTreeMap<String, String>,
    /// Its payload, masked.
    payload: Value,
    deaths: Vec<DeathRow>,
    edits: Vec<EditView>,
    /// The consumer's failed attempts; `null` when it did not say.
    attempts: Option<Vec<FailedAttempt>>,
    /// The order's story, service by service.
    timeline: Vec<Part>,
}

/// A service's part of an order's story.
#[derive(Debug, Serialize, JsonSchema)]
struct Part {
    service: &'static str,
    /// `null` when it did not say.
    story: Option<Story>,
}

/// How many letters were put away.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Archived {
    archived: u32,
}

/// What is to be put away, and why.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Archive {
    filter: Filter,
    #[serde(flatten)]
    signed: Signed,
}

type Queried = Result<Query<Asked>, QueryRejection>;

pub(super) async fn groups(State(doors): State<Doors>, query: Queried) -> Result<Json<Groups>, Problem> {
    let filter = read(query)?;
    Ok(Json(Groups { groups: doors.store.read(move |tx| groups::list(tx, &filter)).await? }))
}

pub(super) async fn list(
    State(doors): State<Doors>,
    Page { limit, after }: Page<Key>,
    query: Queried,
) -> Result<Json<Listed>, Problem> {
    let filter = read(query)?;
    let after = String::from(after.unwrap_or_default());
    let mut letters = doors.store.read(move |tx| letters::list(tx, &filter, &after, limit)).await?;
    letters.iter_mut().for_each(|letter| letter.reason = personal::text(&letter.reason));
    let is_full = u32::try_from(letters.len()).is_ok_and(|count| count == limit);
    let next = letters.last().filter(|_| is_full).map(|last| last.letter_id.clone());
    Ok(Json(Listed { letters, next }))
}

/// A letter with everything a person needs to judge it: masked payload, deaths, edits, the consumer's attempts, the order's timeline.
pub(super) async fn show(State(doors): State<Doors>, Path(letter_id): Path<String>) -> Result<Json<Shown>, Problem> {
    let found = doors.store.read(move |tx| {
        let Some(letter) = letters::find(tx, &letter_id)? else { return Ok(None) };
        let deaths = letters::deaths(tx, &letter_id)?;
        let edits = edits::of_letter(tx, &letter_id)?;
        Ok::<_, StoreError>(Some((letter, deaths, edits)))
    });
    let (mut letter, mut deaths, edits) = found.await?.ok_or_else(|| Problem::not_found("letter"))?;
    letter.reason = personal::text(&letter.reason);
    deaths.iter_mut().for_each(|death| death.reason = personal::text(&death.reason));
    // Ids out of a broken message may not fit a path.
    let event_id: Option<EventId> = letter.event_id.parse().ok();
    let order_id: Option<OrderId> = letter.order_id.parse().ok();
    let attempts = async {
        match &event_id {
            Some(id) => doors.peers.attempts(&letter.consumer, id.as_str()).await,
            None => None,
        }
    };
    let timeline = async {
        match &order_id {
            Some(id) => doors.peers.timeline(id.as_str()).await,
            None => Vec::new(),
        }
    };
    let (attempts, timeline) = futures::join!(attempts, timeline);
    let part = |(service, story): (_, Option<Story>)| Part { service, story: story.map(masked) };
    let timeline = timeline.into_iter().map(part).collect();
    let edits: Vec<EditView> = edits.into_iter().map(|edit| EditView::new(edit, &letter)).collect();
    let payload = personal::payload(&letter.event_type, &letter.data);
    let attributes = personal::attributes(&letter.attributes);
    let attempts = attempts.map(|mut page| {
        page.attempts.iter_mut().for_each(|attempt| attempt.reason = personal::text(&attempt.reason));
        page.attempts
    });
    Ok(Json(Shown { letter, attributes, payload, deaths, edits, attempts, timeline }))
}

/// Puts the open letters away that fit: nobody will replay them.
pub(super) async fn archive(
    State(doors): State<Doors>,
    JsonBody(Archive { filter, signed }): JsonBody<Archive>,
) -> Result<Json<Archived>, Problem> {
    let (mut filter, signed) = (filter.checked()?, signed.checked()?);
    if filter == Filter::default() {
        return Err(FieldError::new("filter", "must say which letters").into());
    }
    filter.state = Some("open".to_owned());
    let job = doors.store.write(clock::now_ms(), move |tx| {
        let (mut archived, mut after) = (0u32, String::new());
        while archived < MAX_ARCHIVED {
            let page = letters::list(tx, &filter, &after, PAGE)?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.letter_id);
            for letter in &page {
                if letters::archive(tx, &letter.letter_id)? {
                    archived += 1;
                    let about = About { letter_id: &letter.letter_id, ..About::default() };
                    audit::add(tx, "archive", &signed, about, &json!({}))?;
                }
            }
        }
        if archived > 0 {
            // Once for all of them: a filter may name a thousand letters.
            let what = json!({ "filter": filter, "archived": archived });
            audit::add(tx, "archive", &signed, About::default(), &what)?;
        }
        Ok::<_, StoreError>(archived)
    });
    Ok(Json(Archived { archived: job.await? }))
}

fn read(query: Queried) -> Result<Filter, FieldError> {
    let Query(asked) = query.map_err(|error| FieldError::new("query", error.body_text()))?;
    let Asked { consumer, event_type, order, code, fingerprint, state, from, to } = asked;
    Filter { consumer, event_type, order, code, fingerprint, state, from, to, letters: Vec::new() }.checked()
}

fn masked(mut story: Story) -> Story {
    for said in &mut story.said {
        said.data = personal::payload(&said.event_type, &said.data.to_string());
    }
    story
}
