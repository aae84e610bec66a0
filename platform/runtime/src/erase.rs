//! Takes a person out of the free text a service keeps: what people wrote, which no key encrypts.
//!
//! Which columns hold such text is the service's list. Rows are looked at page by page, and only the words that name the person are replaced.
//! It may be repeated; in the end the file is written anew, so that the words are not left in it either.

use events::FieldError;
use events::personal::Person;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Param, Store, StoreError, params};

use crate::clock;
use crate::openapi::line;

/// Rows looked at at a time.
const PAGE: u32 = 500;
/// The longest name accepted, in characters: that of the CRM.
const MAX_NAME_CHARS: usize = 100;

/// One column of free text.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// Takes the key of the row before, a text and a number, and how many rows; answers key and text of the rows after it. A table whose
    /// key is one column has a constant for the other.
    pub select: &'static str,
    /// Takes the key and the new text.
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
                ") = (?1, ?2)"
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
/// Of the database; what was changed by then stays changed.
pub async fn run(store: &Store, columns: &'static [Text], person: &Person) -> Result<Erased, StoreError> {
    let mut erased = Erased::default();
    for column in columns {
        let mut after = (String::new(), i64::MIN);
        loop {
            let from = after.clone();
            let read = move |row: &store::Row<'_>| Ok((row.get_text(0)?, row.get_i64(1)?, row.get_text(2)?));
            let page = store.read(move |tx| tx.query(column.select, params![&from.0, from.1, PAGE], read)).await?;
            let Some((text_key, number_key, _)) = page.last() else { break };
            after = (text_key.clone(), *number_key);
            erased.looked_at += page.len() as u64;
            let changed = page
                .into_iter()
                .filter_map(|(text_key, number_key, text)| Some((text_key, number_key, person.taken_out_of(&text)?)));
            let changed: Vec<_> = changed.collect();
            erased.changed += changed.len() as u64;
            if !changed.is_empty() {
                let update = move |tx: &mut store::Tx<'_>| {
                    changed.iter().try_for_each(|(text_key, number_key, text)| {
                        tx.execute(column.update, &[Param::from(text_key), (*number_key).into(), text.into()]).map(drop)
                    })
                };
                store.write(clock::now_ms(), update).await?;
            }
        }
    }
    store.scrub().await?;
    Ok(erased)
}
