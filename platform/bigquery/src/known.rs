//! Tables as they were last seen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use broker::warehouse::{Table, TableName};

use crate::clock::Moment;

/// How long a table is taken for what it was.
const FRESH: Duration = Duration::from_secs(10);

/// What is known of tables.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<HashMap<TableName, Seen>>);

#[derive(Debug)]
struct Seen {
    table: Arc<Table>,
    at: Option<Moment>,
}

impl Known {
    /// A table that was seen a short time ago.
    pub(crate) fn fresh(&self, name: &TableName) -> Option<Arc<Table>> {
        let seen = self.lock();
        let seen = seen.get(name).filter(|seen| seen.at.is_some_and(|at| at.is_within(FRESH)))?;
        Some(Arc::clone(&seen.table))
    }

    /// A table is seen. Gives what was known of it if that is the same.
    pub(crate) fn see(&self, name: &TableName, table: Table) -> Arc<Table> {
        let mut seen = self.lock();
        let same = seen.remove(name).map(|seen| seen.table).filter(|known| **known == table);
        let table = same.unwrap_or_else(|| Arc::new(table));
        seen.insert(name.clone(), Seen { table: Arc::clone(&table), at: Some(Moment::now()) });
        table
    }

    /// A table may have changed: it is to be looked at again.
    pub(crate) fn doubt(&self, name: &TableName) {
        if let Some(seen) = self.lock().get_mut(name) {
            seen.at = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TableName, Seen>> {
        // Changed in whole steps only: good after a panic elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
