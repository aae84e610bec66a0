//! Every table of every service, whatever its columns.

use std::cell::Cell as Counter;
use std::sync::Arc;

use anyhow::Context;
use store::{Cell, Row, Store, StoreError, Tx};

use super::{Place, Wanted};
use crate::audit::Books;

const SQLITE_TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
const POSTGRES_TABLES: &str = "SELECT CAST(table_name AS TEXT) FROM information_schema.tables
    WHERE table_schema = current_schema() ORDER BY 1";

/// What to do about a finding in a database, by the table it is in.
const ADVICE: &[(&str, &str)] = &[
    (
        "outbox",
        "an event or dead letter names the person: find who published it; the row goes 35 days after it was sent",
    ),
    ("attempts", "a failure's reason names the person: the row goes after 21 days; mend whoever wrote the reason"),
    ("customers", "the CRM has a row from before customers were sealed: restart it, then erase again"),
    ("transaction_words", "written since the erasure began: erase again"),
];
const OTHERWISE: &str =
    "written before customers were sealed, or past the schema: change the row by hand, then erase again";

/// Columns of text that hold numbers: what stands there is nobody's id.
const NUMBERS: &[(&str, &str)] = &[("replays", "ramp")];

pub(super) async fn look(books: &Books, wanted: &Wanted) -> anyhow::Result<Vec<Place>> {
    let wanted = Arc::new(Wanted { person: wanted.person.clone(), search: wanted.search.clone() });
    let tables = if books.database_url.starts_with("sqlite:") { SQLITE_TABLES } else { POSTGRES_TABLES };
    let mut places = Vec::new();
    for (service, store) in books.open_all()? {
        let found = look_into(&store, service, tables, &wanted).await;
        store.close().await;
        places.extend(found.with_context(|| format!("cannot look into the database of {service}"))?);
    }
    Ok(places)
}

async fn look_into(
    store: &Store,
    service: &'static str,
    tables: &'static str,
    wanted: &Arc<Wanted>,
) -> Result<Vec<Place>, StoreError> {
    let names = store.read(move |tx| tx.query_dynamic(tables, &[], |row| row.get_text(0))).await?;
    let mut places = Vec::new();
    for name in names.into_iter().filter(|name| !name.starts_with("sqlite_")) {
        let wanted = Arc::clone(wanted);
        let (table, counted) = store.read(move |tx| table(tx, name, &wanted)).await?;
        let (looked_at, findings) = counted;
        let advice = ADVICE.iter().find(|(about, _)| *about == table).map_or(OTHERWISE, |(_, advice)| advice);
        let advice = (findings > 0).then_some(advice);
        places.push(Place { place: format!("{service}: {table}"), looked_at, unit: "rows", findings, advice });
    }
    Ok(places)
}

/// How many rows a table has, and how many of them name the person.
fn table(tx: &mut Tx<'_>, name: String, wanted: &Wanted) -> Result<(String, (u64, u64)), StoreError> {
    let sql = format!("SELECT * FROM \"{}\"", name.replace('"', "\"\""));
    let findings = Counter::new(0u64);
    let look = |row: &Row<'_>| {
        for index in 0..row.columns() {
            if let Cell::Text(text) = row.cell(index)?
                && wanted.is_in(text)
                && !NUMBERS.contains(&(name.as_str(), row.name(index)))
            {
                findings.set(findings.get() + 1);
                break;
            }
        }
        Ok(())
    };
    // Nothing is kept of a row.
    let looked_at = tx.query_dynamic(&sql, &[], look)?.len() as u64;
    Ok((name, (looked_at, findings.get())))
}
