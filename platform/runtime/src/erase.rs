//! Takes a person out of the free text a service keeps: what people wrote, which no key encrypts.
//!
//! Which columns hold such text is the service's list. Rows are looked at page by page, and only the words that name the person are
//! replaced; what is JSON stays JSON. A text that somebody changed meanwhile is looked at again, never written over. It may be repeated; in
//! the end the tables are written anew, so that the words are not left in the files either.

use events::FieldError;
use events::personal::Person;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Store, StoreError, params};

use crate::clock;
use crate::openapi::line;

/// Rows looked at at a time.
const PAGE: u32 = 500;
/// Times a page is looked at: once, and again for texts that others changed meanwhile.
const MAX_LOOKS: u32 = 100;
/// The longest name accepted, in characters: that of the CRM.
const MAX_NAME_CHARS: usize = 100;

/// One column of free text.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// Takes the key of the row before, a text and a number, and how many rows; answers key and text of the rows after it. A table whose
    /// key is one column has a constant for the other.
    pub select: &'static str,
    /// Takes the key, the new text and the one before: changes nothing where that is not there any more.
    pub update: &'static str,
}

/// A column of free text, by table, the two parts of the key and the column's name.
#[macro_export]
macro_rules! text_column {
    ($table:literal, $text_key:literal, $number_key:literal, $column:literal) => {
        $crate::erase::Text {
            select: concat!(
                "SELECT ",
                $text_key,
                ", ",
                $number_key,
                ", ",
                $column,
                " FROM ",
                $table,
                " WHERE ",
                $column,
                " IS NOT NULL AND (",
                $text_key,
                ", ",
                $number_key,
                ") > (?1, ?2) ORDER BY 1, 2 LIMIT ?3"
            ),
            update: concat!(
                "UPDATE ",
                $table,
                " SET ",
                $column,
                " = ?3 WHERE (",
                $text_key,
                ", ",
                $number_key,
                ") = (?1, ?2) AND ",
                $column,
                " = ?4"
            ),
        }
    };
}

/// Who is to be taken out, as asked for.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    customer_id: events::CustomerId,
    #[schemars(schema_with = "line::<MAX_NAME_CHARS>")]
    name: String,
    #[schemars(schema_with = "line::<MAX_NAME_CHARS>")]
    surname: String,
}

impl Wanted {
    /// The person.
    ///
    /// # Errors
    /// [`FieldError`] for a name that is none.
    pub fn person(self) -> Result<Person, FieldError> {
        for (path, name) in [("name", &self.name), ("surname", &self.surname)] {
            if name.trim().is_empty() || name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
                return Err(FieldError::new(path, format!("must be 1 to {MAX_NAME_CHARS} printable characters")));
            }
        }
        Ok(Person { id: self.customer_id.as_str().to_owned(), name: Some((self.name, self.surname)) })
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Erased {
    /// Texts looked at.
    pub looked_at: u64,
    /// Texts that named the person, and do no more.
    pub changed: u64,
}

/// Takes a person out of every text of `columns`.
///
/// # Errors
/// Of the database, or [`StoreError::Busy`] when others change the texts without a pause; what was changed by then stays changed.
pub async fn run(store: &Store, columns: &'static [Text], person: &Person) -> Result<Erased, StoreError> {
    let mut erased = Erased::default();
    for column in columns {
        let mut after = (String::new(), i64::MIN);
        while let Some(last) = page(store, column, person, &after, &mut erased).await? {
            after = last;
        }
    }
    store.scrub().await?;
    Ok(erased)
}

/// A row's key, a text and a number.
type Key = (String, i64);

/// A text as it is and as it is to be.
struct Change {
    key: Key,
    before: String,
    text: String,
}

/// Takes a person out of the texts of one page. The key of its last row; `None` when there is none.
async fn page(
    store: &Store,
    column: &'static Text,
    person: &Person,
    after: &Key,
    erased: &mut Erased,
) -> Result<Option<Key>, StoreError> {
    let mut looked_at = 0;
    for _ in 0..MAX_LOOKS {
        let from = after.clone();
        let read = |row: &store::Row<'_>| Ok(((row.get_text(0)?, row.get_i64(1)?), row.get_text(2)?));
        let texts = store.read(move |tx| tx.query(column.select, params![&from.0, from.1, PAGE], read)).await?;
        let Some((last, _)) = texts.last() else { return Ok(None) };
        let last = last.clone();
        erased.looked_at += (texts.len() as u64).saturating_sub(looked_at);
        looked_at = looked_at.max(texts.len() as u64);
        let change =
            |(key, before): (Key, String)| person.taken_out_of(&before).map(|text| Change { key, before, text });
        let changes: Vec<Change> = texts.into_iter().filter_map(change).collect();
        let wanted = changes.len() as u64;
        let changed = if wanted == 0 { 0 } else { write(store, column, changes).await? };
        erased.changed += changed;
        if changed == wanted {
            return Ok(Some(last));
        }
    }
    Err(StoreError::Busy { reason: "the texts are changed without a pause".to_owned() })
}

/// Writes what is still as it was read. How many that were.
async fn write(store: &Store, column: &'static Text, changes: Vec<Change>) -> Result<u64, StoreError> {
    let update = move |tx: &mut store::Tx<'_>| {
        changes.iter().try_fold(0, |changed, Change { key, before, text }| {
            let values = params![&key.0, key.1, text, before];
            tx.execute(column.update, values).map(|more| changed + more)
        })
    };
    store.write(clock::now_ms(), update).await
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use store::{Fate, Gate, HeldDatabase, Migration, OpenGate, Tx};

    use super::*;

    const MIGRATIONS: &[Migration] =
        &[Migration { version: 1, name: "notes", sql: "CREATE TABLE notes (seq {serial_key}, note TEXT)" }];
    const NOTES: &[Text] = &[crate::text_column!("notes", "''", "seq", "note")];

    /// Somebody else changes a note between the look at it and the write.
    struct Meddler {
        database: HeldDatabase,
        is_done: AtomicBool,
    }

    impl Gate for Meddler {
        fn enter(&self) -> Fate {
            Fate::Runs
        }

        fn leave(&self, _: &mut Tx<'_>, keeps: bool) -> Result<bool, StoreError> {
            Ok(keeps)
        }

        fn undone(&self, _: &mut Tx<'_>) {}

        /// Between a job and its answer: the first is the look.
        fn answer(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            if self.is_done.swap(true, Ordering::Relaxed) {
                return Box::pin(std::future::ready(()));
            }
            let others = open(&self.database, Arc::new(OpenGate));
            Box::pin(async move {
                let sql = "UPDATE notes SET note = 'ada-1 paid' WHERE seq = 1";
                others.write::<_, StoreError>(0, move |tx| tx.execute(sql, &[])).await.unwrap();
            })
        }
    }

    fn open(database: &HeldDatabase, gate: Arc<dyn Gate>) -> Store {
        Store::open(&database.through(gate), MIGRATIONS).unwrap()
    }

    async fn notes(store: &Store) -> Vec<String> {
        let sql = "SELECT note FROM notes ORDER BY seq";
        store.read::<_, StoreError>(move |tx| tx.query(sql, &[], |row| row.get_text(0))).await.unwrap()
    }

    #[tokio::test]
    async fn a_text_that_was_changed_meanwhile_is_looked_at_again_and_not_written_over() {
        let database = HeldDatabase::new().unwrap();
        let others = open(&database, Arc::new(OpenGate));
        let sql = "INSERT INTO notes (note) VALUES ('ada-1 owes'), ('ada-1 called'), ('nobody')";
        others.write::<_, StoreError>(0, move |tx| tx.execute(sql, &[])).await.unwrap();

        let meddled =
            open(&database, Arc::new(Meddler { database: database.clone(), is_done: AtomicBool::new(false) }));
        let ada = Person { id: "ada-1".to_owned(), name: None };
        let erased = run(&meddled, NOTES, &ada).await.unwrap();

        assert_eq!(notes(&others).await, ["[erased] paid", "[erased] called", "nobody"]);
        assert_eq!(erased, Erased { looked_at: 3, changed: 2 });
    }
}
