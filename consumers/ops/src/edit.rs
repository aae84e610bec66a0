//! A patched copy of a letter: made by one person, approved by another, then planned like any letter.

use axum::http::StatusCode;
use events::FieldError;
use events::envelope::MAX_DATA_BYTES;
use events::id::derived;
use events::personal;
use runtime::{FieldProblem, Problem};
use serde_json::{Value, json};
use store::Tx;

use crate::rows::audit::{self, About};
use crate::rows::edits::{self, EditRow};
use crate::rows::letters::{self, LetterRow};
use crate::signed::{Signed, is_same_person};

/// Keeps a patched copy as the one that counts; an earlier one is replaced. The patch is a JSON merge patch (RFC 7386) on the payload.
///
/// # Errors
/// [`Problem`]: no such letter, one that is not open, a patch that changes nothing or too much or names a customer, or the database's.
pub(crate) fn propose(tx: &mut Tx<'_>, letter_id: &str, patch: Value, signed: &Signed) -> Result<EditRow, Problem> {
    tx.lock(letter_id)?;
    let letter = letters::find(tx, letter_id)?.ok_or_else(|| Problem::not_found("letter"))?;
    let edit = patched(&letter, patch, signed, tx.now_ms())?;
    if !letters::set_edit(tx, letter_id, &edit.edit_id)? {
        return Err(not_open(&letter));
    }
    edits::add(tx, &edit)?;
    let what = json!({ "edit": edit.edit_id, "paths": paths(&edit.diff) });
    audit::add(tx, "edit", signed, About { letter_id, ..About::default() }, &what)?;
    Ok(edit)
}

/// Lets an edit be planned.
///
/// # Errors
/// [`Problem`]: no such edit, one that was replaced or approved, the same person, or the database's.
pub(crate) fn approve(tx: &mut Tx<'_>, edit_id: &str, signed: &Signed) -> Result<EditRow, Problem> {
    let edit = edits::find(tx, edit_id)?.ok_or_else(|| Problem::not_found("edit"))?;
    let letter = letters::find(tx, &edit.letter_id)?.ok_or_else(|| Problem::not_found("letter"))?;
    if letter.edit_id != edit_id {
        return Err(Problem::conflict("edit_replaced", "the edit was withdrawn, or a later one has replaced it"));
    }
    if is_same_person(&edit.made_by, &signed.by) {
        let detail = "whoever made an edit cannot approve it: ask somebody else";
        return Err(Problem::new(StatusCode::FORBIDDEN, "same_person", detail));
    }
    if !edits::approve(tx, edit_id, &signed.by, &signed.why)? {
        return Err(Problem::conflict("edit_approved", "the edit was approved before"));
    }
    let about = About { letter_id: &edit.letter_id, ..About::default() };
    audit::add(tx, "approve", signed, about, &json!({ "edit": edit_id }))?;
    edits::find(tx, edit_id)?.ok_or_else(|| Problem::not_found("edit"))
}

/// Takes an edit back: the letter is as it came. One person is enough for that, since it lets nothing through that nobody looked at.
///
/// # Errors
/// [`Problem`]: no such letter, one that is not open or has no edit, or the database's.
pub(crate) fn withdraw(tx: &mut Tx<'_>, letter_id: &str, signed: &Signed) -> Result<EditRow, Problem> {
    tx.lock(letter_id)?;
    let letter = letters::find(tx, letter_id)?.ok_or_else(|| Problem::not_found("letter"))?;
    let no_edit = || Problem::conflict("no_edit", "the letter has no edit that counts");
    let edit = edits::find(tx, &letter.edit_id)?.ok_or_else(no_edit)?;
    if !letters::set_edit(tx, letter_id, "")? {
        return Err(not_open(&letter));
    }
    let about = About { letter_id, ..About::default() };
    audit::add(tx, "withdraw", signed, about, &json!({ "edit": edit.edit_id }))?;
    Ok(edit)
}

/// The fields an edit changes, without what they hold.
pub(crate) fn paths(diff: &Value) -> Vec<String> {
    let change = |change: &Value| {
        let text = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}", text("op"), text("path"))
    };
    diff.as_array().into_iter().flatten().map(change).collect()
}

pub(crate) fn not_open(letter: &LetterRow) -> Problem {
    Problem::conflict("letter_state", format!("the letter is {}: only an open one can be changed", letter.state))
}

fn patched(letter: &LetterRow, patch: Value, signed: &Signed, now_ms: i64) -> Result<EditRow, Problem> {
    // A payload that is no JSON is replaced by what the patch makes of nothing.
    let before: Value = serde_json::from_str(&letter.data).unwrap_or_default();
    let mut after = before.clone();
    json_patch::merge(&mut after, &patch);
    if after == before {
        return Err(FieldError::new("patch", "changes nothing").into());
    }
    let diff = json!(json_patch::diff(&before, &after));
    let data = after.to_string();
    if data.len() > MAX_DATA_BYTES {
        return Err(FieldError::new("patch", format!("makes a payload of more than {MAX_DATA_BYTES} bytes")).into());
    }
    let named = newly_unprotected(&letter.event_type, &before, &after);
    if !named.is_empty() {
        return Err(names_a_customer(named));
    }
    // The person is part of it: the same patch by another person is another edit, which the first may approve.
    let name = format!("{}\n{}\n{now_ms}\n{data}", letter.letter_id, signed.by);
    Ok(EditRow {
        edit_id: derived("edit", &name).simple().to_string(),
        letter_id: letter.letter_id.clone(),
        patch,
        diff,
        data,
        made_by: signed.by.clone(),
        why: signed.why.clone(),
        made_at_ms: now_ms,
        approved_by: None,
        approved_why: None,
        approved_at_ms: None,
    })
}

/// Fields that name somebody in the clear after the patch and did not name them before: an event goes where nobody takes it back from.
fn newly_unprotected(event_type: &str, before: &Value, after: &Value) -> Vec<String> {
    let mut fields = personal::unprotected(event_type, &after.to_string());
    fields.retain(|field| before.get(field) != after.get(field));
    fields
}

fn names_a_customer(fields: Vec<String>) -> Problem {
    let detail = format!("{} would name a customer in the clear: say the sealed id", fields.join(", "));
    let mut problem = Problem::unprocessable("personal_data", detail);
    let told = |path| FieldProblem { path, problem: "is not a sealed id".to_owned() };
    problem.errors = fields.into_iter().map(told).collect();
    problem
}
