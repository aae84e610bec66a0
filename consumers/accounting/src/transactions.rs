//! Transactions entered by hand, in SQL. Every change is a version more and an entry in the ledger; the last version is what is shown.

use events::FieldError;
use runtime::erase::Text;
use runtime::openapi::{dollars, line};
use runtime::text_column;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{Row, StoreError, Tx, params};

use crate::ledger::{self, Account, Kind, Move, Opened};
use crate::price;

/// The longest item or customer accepted, in characters.
const MAX_TEXT_CHARS: usize = 200;

const NUMBER: &str = "INSERT INTO transactions (created_at_ms) VALUES (?1) RETURNING id";
const ADD: &str = "INSERT INTO transaction_entries (id, version, price_minor, made_on, deleted, at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const ADD_WORDS: &str = "INSERT INTO transaction_words (id, version, item, customer) VALUES (?1, ?2, ?3, ?4)";
const LAST: &str = "SELECT shown.id, shown.version, words.item, price_minor, made_on, words.customer, deleted
    FROM transaction_entries AS shown
    JOIN transaction_words AS words ON words.id = shown.id AND words.version = shown.version
    WHERE shown.id = ?1 ORDER BY shown.version DESC LIMIT 1";
const LIST: &str = "SELECT shown.id, shown.version, words.item, price_minor, made_on, words.customer, deleted
    FROM transaction_entries AS shown
    JOIN transaction_words AS words ON words.id = shown.id AND words.version = shown.version
    WHERE shown.id > ?1 AND deleted = 0
    AND shown.version = (SELECT MAX(version) FROM transaction_entries AS all_of WHERE all_of.id = shown.id)
    ORDER BY shown.id LIMIT ?2";

/// What people wrote here, which may name somebody.
pub(crate) const TEXTS: &[Text] = &[
    text_column!("transaction_words", "''", "seq", "item"),
    text_column!("transaction_words", "''", "seq", "customer"),
];

/// A transaction as a client describes it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Draft {
    #[schemars(schema_with = "line::<MAX_TEXT_CHARS>")]
    item: String,
    #[schemars(schema_with = "dollars::<{ price::MAX_PRICE }>")]
    price: Box<RawValue>,
    /// A day, `YYYY-MM-DD`.
    #[schemars(schema_with = "day")]
    date: String,
    #[schemars(schema_with = "line::<MAX_TEXT_CHARS>")]
    customer: String,
}

/// A transaction that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entered {
    item: String,
    price_minor: i64,
    made_on: String,
    customer: String,
}

impl Draft {
    /// Checks every field.
    pub(crate) fn check(self) -> Result<Entered, FieldError> {
        let price_minor = price::parse(self.price.get())?;
        check_text(&self.item, "item")?;
        check_text(&self.customer, "customer")?;
        let date: Option<jiff::civil::Date> = self.date.parse().ok();
        if date.is_none_or(|date| date.to_string() != self.date) {
            return Err(FieldError::new("date", "must be a day as YYYY-MM-DD"));
        }
        Ok(Entered { item: self.item, price_minor, made_on: self.date, customer: self.customer })
    }
}

fn day(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
}

fn check_text(text: &str, path: &str) -> Result<(), FieldError> {
    if text.trim().is_empty() || text.chars().count() > MAX_TEXT_CHARS || text.chars().any(char::is_control) {
        return Err(FieldError::new(path, format!("must be 1 to {MAX_TEXT_CHARS} printable characters")));
    }
    Ok(())
}

/// A version of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    id: i64,
    version: i64,
    entered: Entered,
    deleted: bool,
}

/// A transaction as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TransactionView {
    pub(crate) id: i64,
    item: String,
    #[schemars(schema_with = "dollars::<{ price::MAX_PRICE }>")]
    price: Box<RawValue>,
    #[schemars(schema_with = "day")]
    date: String,
    customer: String,
}

impl From<Version> for TransactionView {
    fn from(Version { id, entered, .. }: Version) -> Self {
        let Entered { item, price_minor, made_on, customer } = entered;
        Self { id, item, price: price::to_json(price_minor), date: made_on, customer }
    }
}

/// Enters a transaction.
pub(crate) fn create(tx: &mut Tx<'_>, entered: Entered) -> Result<TransactionView, StoreError> {
    let now_ms = tx.now_ms();
    let id = tx.query_opt(NUMBER, params![now_ms], |row| row.get_i64(0))?;
    let id = id.ok_or_else(|| StoreError::Row { reason: "the insert returned no id".to_owned() })?;
    let first = Version { id, version: 1, entered, deleted: false };
    add(tx, &first, &[sale(first.entered.price_minor)])?;
    Ok(first.into())
}

/// Corrects a transaction. `None` when there is none.
pub(crate) fn update(tx: &mut Tx<'_>, id: i64, entered: Entered) -> Result<Option<TransactionView>, StoreError> {
    let Some(before) = last(tx, id)? else { return Ok(None) };
    let moves = [reversal(before.entered.price_minor), sale(entered.price_minor)];
    let after = Version { version: before.version + 1, entered, ..before };
    add(tx, &after, &moves)?;
    Ok(Some(after.into()))
}

/// Takes a transaction back. False when there is none.
pub(crate) fn delete(tx: &mut Tx<'_>, id: i64) -> Result<bool, StoreError> {
    let Some(before) = last(tx, id)? else { return Ok(false) };
    let moves = [reversal(before.entered.price_minor)];
    add(tx, &Version { version: before.version + 1, deleted: true, ..before }, &moves)?;
    Ok(true)
}

/// One transaction.
pub(crate) fn one(tx: &mut Tx<'_>, id: i64) -> Result<Option<TransactionView>, StoreError> {
    Ok(last(tx, id)?.map(TransactionView::from))
}

/// Transactions after `after` in the order of their ids.
pub(crate) fn list(tx: &mut Tx<'_>, after: i64, limit: u32) -> Result<Vec<TransactionView>, StoreError> {
    tx.query(LIST, params![after, limit], |row| Ok(read(row)?.into()))
}

fn last(tx: &mut Tx<'_>, id: i64) -> Result<Option<Version>, StoreError> {
    Ok(tx.query_opt(LAST, params![id], read)?.filter(|version| !version.deleted))
}

fn add(tx: &mut Tx<'_>, new: &Version, moves: &[Move]) -> Result<(), StoreError> {
    let Version { id, version, entered: Entered { item, price_minor, made_on, customer }, deleted } = new;
    let now_ms = tx.now_ms();
    tx.execute(ADD, params![*id, *version, *price_minor, made_on, *deleted, now_ms])?;
    tx.execute(ADD_WORDS, params![*id, *version, item, customer])?;
    if let Opened::New(opening) = ledger::open(tx, Kind::Transaction, &format!("{id}-{version}"), None)? {
        opening.post(tx, moves)?;
    }
    Ok(())
}

fn sale(amount_minor: i64) -> Move {
    Move { debit: Account::AccountsReceivable, credit: Account::Revenue, amount_minor }
}

fn reversal(amount_minor: i64) -> Move {
    Move { debit: Account::Revenue, credit: Account::AccountsReceivable, amount_minor }
}

fn read(row: &Row<'_>) -> Result<Version, StoreError> {
    let entered = Entered {
        item: row.get_text(2)?,
        price_minor: row.get_i64(3)?,
        made_on: row.get_text(4)?,
        customer: row.get_text(5)?,
    };
    Ok(Version { id: row.get_i64(0)?, version: row.get_i64(1)?, entered, deleted: row.get(6)? })
}
