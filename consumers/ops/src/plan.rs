//! A plan: what would become of the chosen letters if they were replayed now. Made by a dry run, kept, never changed.

use std::collections::BTreeMap;

use events::FieldError;
use events::envelope::{EnvelopeError, MAX_DATA_BYTES};
use events::id::derived;
use events::topology::limits::INBOX_DAYS;
use futures::{StreamExt, TryStreamExt, stream};
use runtime::replay::{MAX_DRY_RUN_EVENTS, Rehearsed, Sample};
use runtime::{CallError, Failure, Problem};
use serde_json::json;
use store::{Store, StoreError};

use crate::filter::Filter;
use crate::limits::{DRY_RUN_BYTES, MAX_PLAN_LETTERS, MS_PER_DAY, PLAN_SIDE_BY_SIDE};
use crate::peers::Peers;
use crate::rows::audit::{self, About};
use crate::rows::edits;
use crate::rows::letters::{self, LetterRow};
use crate::rows::plans::{self, PlanItem, PlanRow};
use crate::signed::Signed;

/// Letters read at a time.
const PAGE: u32 = 500;

/// What may be predicted.
pub(crate) mod prediction {
    /// It would be handled.
    pub(crate) const APPLIED: &str = "applied";
    /// It was handled before.
    pub(crate) const DUPLICATE: &str = "duplicate";
    /// The consumer does not react to it.
    pub(crate) const NOT_FOR_US: &str = "not_for_us";
    /// The state of the order forbids it.
    pub(crate) const ILLEGAL_STATE: &str = "illegal_state";
    /// It is not an event, or not of a version the consumer knows.
    pub(crate) const SCHEMA: &str = "schema";
    /// It would fail for good, for another reason.
    pub(crate) const PERMANENT: &str = "permanent";
    /// It would fail for now.
    pub(crate) const TRANSIENT: &str = "transient";
    /// It is older than the consumer remembers what it has handled: whether it was handled cannot be told.
    pub(crate) const EXPIRED: &str = "expired";
    /// Its edit waits for a second person.
    pub(crate) const UNAPPROVED: &str = "unapproved";
    /// It is archived, or another replay has it.
    pub(crate) const CLOSED: &str = "closed";
    /// What a replay may try although it is not predicted to be applied.
    pub(crate) const MAY_BE_TRIED: [&str; 4] = [ILLEGAL_STATE, SCHEMA, PERMANENT, TRANSIENT];
}

/// A letter to be planned and the event it would be replayed as.
struct Candidate {
    letter: LetterRow,
    data: String,
    /// Decided without asking the consumer: what, and why.
    decided: Option<(&'static str, Option<EnvelopeError>)>,
}

/// Makes plans.
#[derive(Clone)]
pub(crate) struct Planner {
    pub(crate) store: Store,
    pub(crate) peers: Peers,
    pub(crate) plan_life_ms: i64,
}

impl Planner {
    /// Plans the letters that fit. Only open letters are looked for unless the filter says otherwise.
    ///
    /// # Errors
    /// [`Problem`]: letters of several consumers, too many or none, a consumer that cannot be asked, or the database's.
    pub(crate) async fn plan(&self, filter: Filter, signed: Signed, now_ms: i64) -> Result<PlanRow, Problem> {
        let candidates = self.candidates(filter.clone(), now_ms).await?;
        let consumer = consumer_of(&candidates)?;
        let items = self.predict(&consumer, candidates).await.map_err(Failure::from)?;
        let plan = PlanRow {
            plan_hash: hash(&consumer, &filter, &items, now_ms),
            consumer,
            filter: json!(filter),
            made_by: signed.by.clone(),
            made_at_ms: now_ms,
            expires_at_ms: now_ms + self.plan_life_ms,
            letters: i64::try_from(items.len()).unwrap_or(i64::MAX),
            replay_id: None,
        };
        let kept = plan.clone();
        let keep = self.store.write(now_ms, move |tx| {
            plans::add(tx, &plan, &items)?;
            let what = json!({ "plan": plan.plan_hash, "consumer": plan.consumer, "filter": plan.filter,
                               "predictions": plans::totals(tx, &plan.plan_hash)? });
            audit::add(tx, "plan", &signed, About::default(), &what)?;
            Ok::<_, StoreError>(())
        });
        keep.await?;
        Ok(kept)
    }

    async fn candidates(&self, mut filter: Filter, now_ms: i64) -> Result<Vec<Candidate>, Problem> {
        if filter.letters.is_empty() && filter.state.is_none() {
            filter.state = Some("open".to_owned());
        }
        let horizon_ms = now_ms - i64::from(INBOX_DAYS) * MS_PER_DAY;
        let (mut candidates, mut after) = (Vec::new(), String::new());
        loop {
            let (filter, from) = (filter.clone(), after.clone());
            let page = self.store.read(move |tx| {
                let mut page = Vec::new();
                for listed in letters::list(tx, &filter, &from, PAGE)? {
                    let Some(letter) = letters::find(tx, &listed.letter_id)? else { continue };
                    let edit = edits::find(tx, &letter.edit_id)?;
                    page.push((letter, edit));
                }
                Ok::<_, StoreError>(page)
            });
            let page = page.await?;
            let Some((last, _)) = page.last() else { break };
            after.clone_from(&last.letter_id);
            candidates.extend(page.into_iter().map(|(letter, edit)| {
                let is_approved = edit.as_ref().is_none_or(|edit| edit.approved_by.is_some());
                let data = edit.map_or_else(|| letter.data.clone(), |edit| edit.data);
                let decided = match letter.state.as_str() {
                    "archived" | "replaying" => Some((prediction::CLOSED, None)),
                    _ if !is_approved => Some((prediction::UNAPPROVED, None)),
                    _ if letter.occurred_at_ms < horizon_ms => Some((prediction::EXPIRED, None)),
                    // No consumer takes it, and a dry run of it would be refused as a whole.
                    _ if data.len() > MAX_DATA_BYTES => {
                        Some((prediction::SCHEMA, Some(EnvelopeError::TooLarge(data.len()))))
                    }
                    _ => None,
                };
                Candidate { letter, data, decided }
            }));
            if candidates.len() > usize::try_from(MAX_PLAN_LETTERS).unwrap_or(usize::MAX) {
                let problem = format!("are more than {MAX_PLAN_LETTERS}: choose fewer");
                return Err(FieldError::new("letters", problem).into());
            }
        }
        Ok(candidates)
    }

    async fn predict(&self, consumer: &str, candidates: Vec<Candidate>) -> Result<Vec<PlanItem>, CallError> {
        let asked = candidates.iter().enumerate().filter(|(_, one)| one.decided.is_none());
        let samples = asked.map(|(at, one)| {
            let mut attributes = one.letter.attributes.clone();
            attributes.insert("ce-replaytarget".to_owned(), consumer.to_owned());
            (at, Sample { attributes, data: one.data.clone() })
        });
        let answers: Vec<Vec<(usize, Rehearsed)>> = stream::iter(batches(samples.collect()))
            .map(|batch| async move {
                let (places, samples): (Vec<usize>, Vec<Sample>) = batch.into_iter().unzip();
                let outcomes = self.peers.rehearse(consumer, samples).await?;
                Ok::<_, CallError>(places.into_iter().zip(outcomes).collect())
            })
            .buffered(PLAN_SIDE_BY_SIDE)
            .try_collect()
            .await?;
        let mut answers: BTreeMap<usize, Rehearsed> = answers.into_iter().flatten().collect();
        let items = candidates.into_iter().enumerate().map(|(at, one)| item(at, one, answers.remove(&at)));
        Ok(items.collect())
    }
}

/// Samples in parts that a dry run takes.
fn batches(samples: Vec<(usize, Sample)>) -> Vec<Vec<(usize, Sample)>> {
    let mut parts: Vec<Vec<(usize, Sample)>> = Vec::new();
    let mut bytes = 0;
    for (at, sample) in samples {
        // As JSON, which may be several times as long.
        let size = json!(sample).to_string().len();
        let fits = parts.last().is_some_and(|part| part.len() < MAX_DRY_RUN_EVENTS && bytes + size <= DRY_RUN_BYTES);
        if fits && let Some(part) = parts.last_mut() {
            part.push((at, sample));
            bytes += size;
        } else {
            parts.push(vec![(at, sample)]);
            bytes = size;
        }
    }
    parts
}

fn item(at: usize, one: Candidate, answer: Option<Rehearsed>) -> PlanItem {
    let (decided, error) = one.decided.unwrap_or((prediction::PERMANENT, None));
    let mut item = PlanItem {
        position: i64::try_from(at).unwrap_or(i64::MAX),
        letter_id: one.letter.letter_id,
        prediction: decided.to_owned(),
        code: error.as_ref().map_or_else(String::new, |error| error.code().to_owned()),
        reason: error.as_ref().map_or_else(String::new, ToString::to_string),
        says: Vec::new(),
        deaths: one.letter.deaths,
        edit_id: one.letter.edit_id,
    };
    let Some(answer) = answer else { return item };
    let prediction = match answer {
        Rehearsed::Applied { says } => {
            item.says = says;
            prediction::APPLIED
        }
        Rehearsed::Duplicate => prediction::DUPLICATE,
        Rehearsed::NotForUs => prediction::NOT_FOR_US,
        Rehearsed::Transient { code, reason } => {
            (item.code, item.reason) = (code, reason);
            prediction::TRANSIENT
        }
        Rehearsed::Permanent { code, reason } => {
            let kind = match code.as_str() {
                "illegal_state" => prediction::ILLEGAL_STATE,
                "bad_envelope" | "bad_payload" | "newer_version" | "invalid_fact" => prediction::SCHEMA,
                _ => prediction::PERMANENT,
            };
            (item.code, item.reason) = (code, reason);
            kind
        }
    };
    prediction.clone_into(&mut item.prediction);
    item
}

/// A replay goes to one consumer only.
fn consumer_of(candidates: &[Candidate]) -> Result<String, Problem> {
    let mut consumers: Vec<&str> = candidates.iter().map(|one| one.letter.consumer.as_str()).collect();
    consumers.sort_unstable();
    consumers.dedup();
    match consumers[..] {
        [one] => Ok(one.to_owned()),
        [] => Err(Problem::unprocessable("nothing_to_plan", "no letter fits")),
        _ => {
            let detail =
                format!("a replay goes to one consumer, these letters are of {}: name one", consumers.join(", "));
            Err(Problem::unprocessable("several_consumers", detail))
        }
    }
}

/// A name for the plan that says everything about it: another letter, prediction, target or filter gives another.
fn hash(consumer: &str, filter: &Filter, items: &[PlanItem], now_ms: i64) -> String {
    let mut text = format!("{consumer}\n{}\n{now_ms}\n", json!(filter));
    for item in items {
        let PlanItem { letter_id, prediction, code, deaths, edit_id, .. } = item;
        text.push_str(&format!("{letter_id} {prediction} {code} {deaths} {edit_id}\n"));
    }
    derived("plan", &text).simple().to_string()
}
