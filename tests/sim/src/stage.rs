//! What runs share: the databases with their tables, brought back to their first state before each run.

use std::sync::Arc;

use audit::Book;
use store::{HeldDatabase, OpenGate, Store, StoreError, params};

use crate::house::{House, PARTS, Part};

/// The ledger of what can be carried.
pub(crate) const INVENTORY: &str = "inventory";
/// The ledger of freight.
pub(crate) const FURNITURE: &str = "furniture";
const CRM: &str = "crm";

/// Customers with something about each: tier, country, whether they may order, whether they can be billed.
const CUSTOMERS: &str = "INSERT INTO customers
        (customer_id, name, surname, country, granted_tier, standing, billing_account)
    VALUES ('plain', 'A', 'Plain', 'US', 'standard', 'good', 'active'),
           ('gold', 'B', 'Gold', NULL, 'gold', 'good', 'active'),
           ('abroad', 'C', 'Abroad', 'US', 'standard', 'good', 'active'),
           ('closed', 'D', 'Closed', NULL, 'standard', 'good', 'closed'),
           ('unbilled', 'E', 'Unbilled', NULL, 'silver', 'good', 'none'),
           ('suspended', 'F', 'Suspended', NULL, 'standard', 'suspended', 'active')";
const UNITS: &str = "UPDATE stock SET stock_level = ?1";

/// The databases of one thread's runs.
pub struct Stage {
    databases: Vec<(Part, HeldDatabase)>,
    books: Vec<Book>,
}

impl Stage {
    /// Makes every database and its tables.
    ///
    /// # Errors
    /// [`StoreError`] when a migration does not fit.
    pub fn new() -> Result<Stage, StoreError> {
        let mut stage = Stage { databases: Vec::new(), books: Vec::new() };
        for part in PARTS {
            let database = HeldDatabase::new()?;
            let store = Store::open(&database.through(Arc::new(OpenGate)), part.migrations)?;
            stage.databases.push((part, database));
            stage.books.push(Book { service: part.name, store });
        }
        stage.keep()?;
        Ok(stage)
    }

    /// What is there now is what every run begins with.
    fn keep(&self) -> Result<(), StoreError> {
        self.databases.iter().try_for_each(|(_, database)| database.keep())
    }

    /// Brings the first state back, with our customers and so many units of each product.
    pub(crate) async fn reset(&self, units: u64) -> Result<(), StoreError> {
        self.databases.iter().try_for_each(|(_, database)| database.restore())?;
        let units = i64::try_from(units).unwrap_or(i64::MAX);
        for ledger in [INVENTORY, FURNITURE] {
            self.book(ledger).store.write(0, move |tx| tx.execute(UNITS, params![units])).await?;
        }
        self.book(CRM).store.write(0, |tx| tx.execute(CUSTOMERS, &[])).await?;
        Ok(())
    }

    /// A house for each database.
    pub(crate) fn houses(&self) -> Vec<House> {
        self.databases.iter().map(|(part, database)| House::new(*part, database.clone())).collect()
    }

    /// The books, for whoever checks them.
    pub(crate) fn books(&self) -> &[Book] {
        &self.books
    }

    /// The books of one service.
    pub(crate) fn book(&self, service: &str) -> &Book {
        self.books.iter().find(|book| book.service == service).expect("every service has a book")
    }
}
