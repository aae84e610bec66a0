//! The services' databases, opened for reading.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use audit::Book;
use store::{Database, Migration, Store};

use crate::commands::ANSWERED;

/// Where the books are.
#[derive(Debug, Clone)]
pub struct Books {
    /// `sqlite:DIR` or `postgres://…`.
    pub database_url: String,
    /// Folder with the list of orders answered 201, where one was kept.
    pub data: PathBuf,
}

/// Services with a database, and their tables.
fn keepers() -> [(&'static str, &'static [Migration]); 10] {
    [
        (checkout::NAME, checkout::MIGRATIONS),
        (oms::NAME, oms::MIGRATIONS),
        (accounting::NAME, accounting::MIGRATIONS),
        (warehouse::NAME, warehouse::MIGRATIONS),
        (inventory::NAME, inventory::MIGRATIONS),
        (furniture::NAME, furniture::MIGRATIONS),
        (fraud_bridge::NAME, fraud_bridge::MIGRATIONS),
        (crm::NAME, crm::MIGRATIONS),
        (scheduler::NAME, scheduler::MIGRATIONS),
        (ops::NAME, ops::MIGRATIONS),
    ]
}

impl Books {
    /// Opens every database.
    ///
    /// # Errors
    /// When one is missing or cannot be opened.
    pub fn open(&self) -> anyhow::Result<Vec<Book>> {
        keepers().into_iter().map(|(service, migrations)| self.open_one(service, migrations)).collect()
    }

    /// Opens every database there is, with those that the audit does not ask.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub fn open_all(&self) -> anyhow::Result<Vec<(&'static str, Store)>> {
        let unasked: [(&'static str, &'static [Migration]); 2] =
            [(food::NAME, food::MIGRATIONS), (fraud_engine::NAME, fraud_engine::MIGRATIONS)];
        let open = |(service, migrations)| Ok((service, self.open_one(service, migrations)?.store));
        keepers().into_iter().chain(unasked).map(open).collect()
    }

    fn open_one(&self, service: &'static str, migrations: &[Migration]) -> anyhow::Result<Book> {
        let database = Database::parse(&self.database_url, service)?;
        if let Database::Sqlite { path } = &database
            && !path.exists()
        {
            bail!(
                "{} does not exist: point --data to a shop's folder, or --database-url to its database",
                path.display()
            );
        }
        let store =
            Store::open(&database, migrations).with_context(|| format!("cannot open the books of {service}"))?;
        Ok(Book { service, store })
    }

    /// Ids of orders that somebody noted as answered 201. A last line cut short by a crash is not an answer.
    ///
    /// # Errors
    /// When the list exists and cannot be read.
    pub fn answered(&self) -> anyhow::Result<Vec<String>> {
        let path = self.data.join(ANSWERED);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        whole.lines().map(|line| order_id(line, &path)).collect()
    }
}

fn order_id(line: &str, path: &Path) -> anyhow::Result<String> {
    let note: serde_json::Value =
        serde_json::from_str(line).with_context(|| format!("{} holds a line that is not JSON", path.display()))?;
    note["orderId"]
        .as_str()
        .map(ToOwned::to_owned)
        .with_context(|| format!("{} has a line without orderId", path.display()))
}
