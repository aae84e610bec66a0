//! A plan becomes a replay.

use axum::http::StatusCode;
use events::FieldError;
use runtime::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{StoreError, Tx};

use crate::limits::{MAX_RAMP_STEPS, MAX_RATE_PER_S};
use crate::plan::prediction;
use crate::rows::audit::{self, About};
use crate::rows::items::{self, ItemRow};
use crate::rows::letters;
use crate::rows::plans::{self, PlanItem, PlanRow};
use crate::rows::replays::{self, ReplayRow};
use crate::signed::Signed;

/// Items read and written at a time.
const PAGE: u32 = 500;

/// How a plan is to be carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Order {
    /// The plan's hash.
    pub(crate) plan: String,
    /// Who.
    #[schemars(schema_with = "crate::signed::name")]
    pub(crate) by: String,
    /// Why.
    #[schemars(schema_with = "crate::signed::reason")]
    pub(crate) why: String,
    /// Messages a second, at most. 1..=10,000; 100 when not given.
    #[serde(default = "default_rate")]
    #[schemars(range(min = 1, max = MAX_RATE_PER_S))]
    pub(crate) rate_per_second: u32,
    /// Messages in the first steps, each settled before the next begins; then come all others. 1, 5, 20, 100 when not given.
    #[serde(default = "default_ramp")]
    #[schemars(length(max = MAX_RAMP_STEPS), inner(range(min = 1)))]
    pub(crate) ramp: Vec<u32>,
    /// The share of failures above which the replay stops itself. 0..=1; 0.05 when not given.
    #[serde(default = "default_share")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(crate) stop_at_failure_share: f64,
    /// Predictions to try besides `applied`: `illegal_state`, `schema`, `permanent`, `transient`.
    #[serde(default)]
    #[schemars(inner(regex(pattern = "^(illegal_state|schema|permanent|transient)$")))]
    pub(crate) include: Vec<String>,
}

fn default_rate() -> u32 {
    100
}

fn default_ramp() -> Vec<u32> {
    vec![1, 5, 20, 100]
}

fn default_share() -> f64 {
    0.05
}

impl Order {
    /// # Errors
    /// [`FieldError`] for a value out of its bounds.
    pub(crate) fn checked(self) -> Result<(Self, Signed), FieldError> {
        let signed = Signed { by: self.by.clone(), why: self.why.clone() }.checked()?;
        if !(1..=MAX_RATE_PER_S).contains(&self.rate_per_second) {
            return Err(FieldError::new("ratePerSecond", format!("must be 1 to {MAX_RATE_PER_S}")));
        }
        if self.ramp.len() > MAX_RAMP_STEPS || self.ramp.contains(&0) {
            return Err(FieldError::new("ramp", format!("must be at most {MAX_RAMP_STEPS} steps of 1 or more")));
        }
        if !(0.0..=1.0).contains(&self.stop_at_failure_share) {
            return Err(FieldError::new("stopAtFailureShare", "must be from 0 to 1"));
        }
        if let Some(hopeless) = self.include.iter().find(|name| !prediction::MAY_BE_TRIED.contains(&name.as_str())) {
            let problem = format!("cannot be {hopeless:?}: trying it again is pointless or forbidden");
            return Err(FieldError::new("include", problem));
        }
        Ok((self, signed))
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be from 0 to 1")]
    fn stop_permille(&self) -> u32 {
        (self.stop_at_failure_share * 1_000.0).round() as u32
    }
}

/// Makes the replay of a plan and takes its letters, all or nothing. What must not be tried is listed as skipped.
///
/// # Errors
/// [`Problem`]: no such plan, an expired one, one that was used, or the database's.
pub(crate) fn create(tx: &mut Tx<'_>, order: &Order, signed: &Signed, replay_id: &str) -> Result<ReplayRow, Problem> {
    let now_ms = tx.now_ms();
    tx.lock(&order.plan)?;
    let plan = plans::find(tx, &order.plan)?.ok_or_else(|| Problem::not_found("plan"))?;
    check(&plan, now_ms)?;
    if !plans::use_up(tx, &plan.plan_hash, replay_id)? {
        return Err(Problem::conflict("plan_used", "another replay has used the plan"));
    }
    let replay = ReplayRow {
        replay_id: replay_id.to_owned(),
        plan_hash: plan.plan_hash.clone(),
        consumer: plan.consumer.clone(),
        state: super::RUNNING.to_owned(),
        note: String::new(),
        made_by: signed.by.clone(),
        why: signed.why.clone(),
        rate_per_s: order.rate_per_second,
        ramp: order.ramp.clone(),
        stop_permille: order.stop_permille(),
        ramp_at: 0,
        step: 0,
        made_at_ms: now_ms,
        resumed_at_ms: now_ms,
        changed_at_ms: now_ms,
    };
    replays::add(tx, &replay)?;
    let mut after = -1;
    loop {
        let page = plans::items(tx, &plan.plan_hash, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.position;
        for item in page {
            let skipped = reason_to_skip(tx, order, &item, replay_id)?;
            let state = if skipped.is_some() { "skipped" } else { "waiting" };
            let row = ItemRow {
                position: item.position,
                letter_id: item.letter_id,
                state: state.to_owned(),
                code: item.code,
                reason: skipped.unwrap_or_default(),
            };
            items::add(tx, replay_id, &row, &item.edit_id)?;
        }
    }
    let what = json!({
        "plan": plan.plan_hash, "consumer": plan.consumer, "letters": plan.letters, "ratePerSecond": order.rate_per_second,
        "ramp": order.ramp, "stopAtFailureShare": order.stop_at_failure_share, "include": order.include,
    });
    audit::add(tx, "replay", signed, About { replay_id, ..About::default() }, &what)?;
    Ok(replay)
}

fn check(plan: &PlanRow, now_ms: i64) -> Result<(), Problem> {
    if let Some(replay_id) = &plan.replay_id {
        return Err(Problem::conflict(
            "plan_used",
            format!("the plan was used by replay {replay_id}: look there, or plan anew"),
        ));
    }
    if now_ms >= plan.expires_at_ms {
        let gone = StatusCode::GONE;
        return Err(Problem::new(gone, "plan_expired", "what the plan predicted may be true no more: plan anew"));
    }
    Ok(())
}

/// Why a letter is not tried; `None` once it is taken.
fn reason_to_skip(
    tx: &mut Tx<'_>,
    order: &Order,
    item: &PlanItem,
    replay_id: &str,
) -> Result<Option<String>, StoreError> {
    if item.prediction == prediction::DUPLICATE {
        // The consumer has it in its inbox: there is nothing left to bring back.
        letters::found_handled(tx, &item.letter_id)?;
        return Ok(Some("it was handled before".to_owned()));
    }
    if item.prediction != prediction::APPLIED && !order.include.contains(&item.prediction) {
        return Ok(Some(format!("predicted {}", item.prediction)));
    }
    let Some(letter) = letters::find(tx, &item.letter_id)? else { return Ok(Some("the letter is gone".to_owned())) };
    if letter.topic.is_empty() {
        return Ok(Some("the topic it was said on is not known".to_owned()));
    }
    if letter.deaths != item.deaths || letter.edit_id != item.edit_id {
        return Ok(Some("the letter has changed since it was planned".to_owned()));
    }
    if letter.state != "open" || !letters::take(tx, &item.letter_id, replay_id)? {
        return Ok(Some(format!("the letter is {}", letter.state)));
    }
    Ok(None)
}
