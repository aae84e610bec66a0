//! Pause, resume, cancel.

use runtime::Problem;
use serde_json::json;
use store::{StoreError, Tx};

use super::{CANCELLED, FINISHED, PAUSED, RUNNING, STOPPED};
use crate::rows::audit::{self, About};
use crate::rows::edits;
use crate::rows::items;
use crate::rows::letters;
use crate::rows::replays::{self, ReplayRow};
use crate::signed::Signed;

/// Items looked at in one go.
const PAGE: u32 = 500;

/// Publishes nothing more until it is resumed. What is out is still followed.
///
/// # Errors
/// [`Problem`]: no such replay, or one that does not run.
pub(crate) fn pause(tx: &mut Tx<'_>, replay_id: &str, signed: &Signed) -> Result<ReplayRow, Problem> {
    let replay = find(tx, replay_id)?;
    if replay.state == PAUSED {
        return Ok(replay);
    }
    must_be(&replay, &[RUNNING])?;
    replays::set_state(tx, replay_id, PAUSED, "")?;
    note(tx, "pause", replay_id, signed)?;
    find(tx, replay_id)
}

/// Goes on: where it was after a pause; after a stop with the ramp from its beginning, the failed messages once more, and those that have
/// been out for longer than the patience. They keep their ids, so that the consumer takes no harm from hearing one twice.
///
/// # Errors
/// [`Problem`]: no such replay, or one that has ended.
pub(crate) fn resume(
    tx: &mut Tx<'_>,
    replay_id: &str,
    signed: &Signed,
    patience_ms: i64,
) -> Result<ReplayRow, Problem> {
    let replay = find(tx, replay_id)?;
    must_be(&replay, &[PAUSED, STOPPED])?;
    let (mut ramp_at, mut step) = (replay.ramp_at, replay.step);
    if replay.state == STOPPED {
        // A step of its own: what failed in the last one must not stop this run as well.
        (ramp_at, step) = (0, step + 1);
        items::lost_again(tx, replay_id, lost_before_ms(tx, &replay, patience_ms))?;
        items::unassign(tx, replay_id)?;
        try_again(tx, replay_id)?;
    }
    replays::resume(tx, replay_id, ramp_at, step)?;
    note(tx, "resume", replay_id, signed)?;
    find(tx, replay_id)
}

/// Ends it: what was not published never will be, and its letters are open again. What is out is still followed, but not what has been
/// out for longer than the patience: its letters are open again too.
///
/// # Errors
/// [`Problem`]: no such replay, or one that has ended.
pub(crate) fn cancel(
    tx: &mut Tx<'_>,
    replay_id: &str,
    signed: &Signed,
    patience_ms: i64,
) -> Result<ReplayRow, Problem> {
    let replay = find(tx, replay_id)?;
    if replay.state == CANCELLED {
        return Ok(replay);
    }
    must_be(&replay, &[RUNNING, PAUSED, STOPPED])?;
    replays::set_state(tx, replay_id, CANCELLED, "")?;
    each(tx, replay_id, "waiting", |tx, position, letter_id| {
        items::settle(tx, replay_id, position, "skipped", ("", "the replay was cancelled"))?;
        letters::give_back(tx, letter_id, replay_id)
    })?;
    let_go(tx, replay_id, lost_before_ms(tx, &replay, patience_ms))?;
    note(tx, "cancel", replay_id, signed)?;
    find(tx, replay_id)
}

/// Gives back what has been out since `before_ms` or longer: nobody will ever say what has become of it. Answers how many that were.
///
/// # Errors
/// Of the database.
pub(super) fn let_go(tx: &mut Tx<'_>, replay_id: &str, before_ms: i64) -> Result<usize, StoreError> {
    tx.lock(replay_id)?;
    let lost = items::lost(tx, replay_id, before_ms)?;
    for (position, letter_id) in &lost {
        items::settle(tx, replay_id, *position, "skipped", ("", "it never settled"))?;
        letters::give_back(tx, letter_id, replay_id)?;
    }
    Ok(lost.len())
}

/// What was published by then has been out for the patience. A replay that has stood still has waited until then at least, whatever the
/// clock here says.
fn lost_before_ms(tx: &Tx<'_>, replay: &ReplayRow, patience_ms: i64) -> i64 {
    tx.now_ms().max(replay.changed_at_ms) - patience_ms
}

/// Failed messages wait again, if nobody has taken their letters meanwhile. One that was edited is published as the edit has it, once a
/// second person has approved that.
fn try_again(tx: &mut Tx<'_>, replay_id: &str) -> Result<(), StoreError> {
    each(tx, replay_id, "failed", |tx, position, letter_id| {
        let Some(letter) = letters::find(tx, letter_id)?.filter(|letter| letter.state == "open") else { return Ok(()) };
        let edit_id = letter.edit_id;
        if items::edit_of(tx, replay_id, position)? != edit_id
            && edits::find(tx, &edit_id)?.is_some_and(|edit| edit.approved_by.is_none())
        {
            return items::explain(tx, replay_id, position, "the letter was edited: plan anew");
        }
        if letters::take(tx, letter_id, replay_id)? {
            items::again(tx, replay_id, position, &edit_id)?;
        }
        Ok(())
    })
}

fn each(
    tx: &mut Tx<'_>,
    replay_id: &str,
    state: &str,
    mut one: impl FnMut(&mut Tx<'_>, i64, &str) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut after = -1;
    loop {
        let page = items::in_state(tx, replay_id, state, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.position;
        for item in &page {
            one(tx, item.position, &item.letter_id)?;
        }
    }
}

fn find(tx: &mut Tx<'_>, replay_id: &str) -> Result<ReplayRow, Problem> {
    tx.lock(replay_id)?;
    replays::find(tx, replay_id)?.ok_or_else(|| Problem::not_found("replay"))
}

fn must_be(replay: &ReplayRow, states: &[&str]) -> Result<(), Problem> {
    if states.contains(&replay.state.as_str()) {
        return Ok(());
    }
    let what = match replay.state.as_str() {
        FINISHED | CANCELLED => "it has ended: plan anew what is left",
        _ => "that is not done from there",
    };
    Err(Problem::conflict("replay_state", format!("the replay is {}: {what}", replay.state)))
}

fn note(tx: &mut Tx<'_>, action: &str, replay_id: &str, signed: &Signed) -> Result<(), StoreError> {
    let counts = items::counts(tx, replay_id)?;
    audit::add(tx, action, signed, About { replay_id, ..About::default() }, &json!({ "messages": counts }))
}
