//! The proof of an erasure: a look for the person in everything the shop keeps.
//!
//! Databases are read table by table, whatever is in them, on both engines; files below the data folder byte by byte. What cannot be looked at
//! from here, as BigQuery or a backup, is not claimed to be clean: `docs/personal-data.md` says what becomes of it.

mod databases;
mod files;

use std::path::PathBuf;

use events::personal::{Person, Search};
use serde::Serialize;

use crate::audit::Books;

/// One place that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Where: a service's table, or a file.
    pub place: String,
    /// How much of it: rows of a table, bytes of a file.
    pub looked_at: u64,
    /// Which of the two.
    pub unit: &'static str,
    /// How often the person was found there.
    pub findings: u64,
    /// What to do about it, where something was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<&'static str>,
}

/// Where to look.
pub struct House {
    /// The services' databases.
    pub books: Books,
    /// The data folder, with the broker's and the warehouse's files.
    pub data: PathBuf,
}

/// Who is looked for, and how.
struct Wanted {
    person: Person,
    search: Search,
}

impl Wanted {
    fn is_in(&self, text: &str) -> bool {
        !self.search.places(text.as_bytes()).is_empty()
            // The whole table of cases is for what people write; what programs write is longer, and spelled as it was given.
            || (text.len() <= MAX_WRITTEN_BYTES && self.person.is_named_in(text))
    }
}

/// The longest text that a person writes into a field, in bytes: 500 characters of four.
const MAX_WRITTEN_BYTES: usize = 2_000;

/// Makes sure that everything can be looked at: once a key is destroyed it is too late to find out.
///
/// # Errors
/// When a database or a file cannot be read.
pub async fn ready(house: &House) -> anyhow::Result<()> {
    for (_, store) in house.books.open_all()? {
        store.close().await;
    }
    files::ready(&house.data)
}

/// Looks everywhere.
///
/// # Errors
/// When a database or a file cannot be read: then nothing is proved.
pub async fn look(house: &House, person: Person) -> anyhow::Result<Vec<Place>> {
    let wanted = Wanted { search: person.search(), person };
    let mut places = databases::look(&house.books, &wanted).await?;
    places.extend(files::look(&house.data, &wanted)?);
    Ok(places)
}
