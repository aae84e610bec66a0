//! What can go wrong with a database, and what to do about it.

/// Why a job had no effect. Whatever the variant, the job's transaction was rolled back, with one exception:
/// [`Unavailable`](StoreError::Unavailable) on PostgreSQL when the connection broke during the commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The queue is full, or another connection kept a lock for longer than
    /// [`Limits::lock_wait`](crate::Limits::lock_wait), or PostgreSQL broke a deadlock. Trying again helps. If it
    /// lasts, look for a second process on the file, or for a long transaction.
    #[error("the database is busy: {reason}")]
    Busy {
        /// Which of these it was.
        reason: String,
    },

    /// The disk, or the size the database is allowed, is used up. Trying again helps only after space was made;
    /// nothing is damaged.
    #[error("the disk is full: {reason}")]
    DiskFull {
        /// The engine's words.
        reason: String,
    },

    /// No connection, a failed read or write of the disk, or the store is closed. Trying again helps once the server
    /// is back. When a PostgreSQL connection breaks during a commit, whether it happened is unknown: try again under
    /// the same inbox claim and it happens once.
    #[error("the database cannot be reached: {reason}")]
    Unavailable {
        /// The engine's words.
        reason: String,
    },

    /// A `CHECK`, `UNIQUE`, `NOT NULL` or foreign key refused the row. Trying again does not help: the data is wrong,
    /// or a rule that code should have decided was left to the database.
    #[error("a constraint refused the row: {what}")]
    Constraint {
        /// The constraint or columns, as the engine names them.
        what: String,
    },

    /// The job panicked; its effects were rolled back and the store lives on. Trying again does not help: it is a
    /// bug in the job.
    #[error("the job panicked: {message}")]
    JobPanicked {
        /// What the panic said.
        message: String,
    },

    /// The engine refused the statement: a typing error, a missing table, a damaged file. Trying again does not help.
    #[error("the statement failed: {reason} in {statement:?}")]
    Sql {
        /// The SQL as the service wrote it.
        statement: String,
        /// The engine's words.
        reason: String,
    },

    /// A row did not hold what the code expected: another type, `NULL`, or more than one row where one was asked for.
    /// Trying again does not help.
    #[error("the row is not as expected: {reason}")]
    Row {
        /// What was found and what was expected.
        reason: String,
    },

    /// The tables and the program disagree: an applied migration was edited, or the database was migrated by a newer
    /// program. Nothing was changed. Run the program that fits, or add a migration instead of editing one.
    #[error("the migrations do not fit the database: {reason}")]
    Migration {
        /// Which migration, and how it differs.
        reason: String,
    },

    /// The database's address cannot be read. Trying again does not help: correct the configuration.
    #[error("the database address is wrong: {reason}")]
    Address {
        /// What is wrong with it.
        reason: String,
    },
}

impl StoreError {
    /// Whether the same job may succeed later without anybody changing code or data.
    pub fn is_transient(&self) -> bool {
        matches!(self, StoreError::Busy { .. } | StoreError::DiskFull { .. } | StoreError::Unavailable { .. })
    }

    /// The answer to everything asked of a store that was closed.
    pub(crate) fn closed() -> StoreError {
        StoreError::Unavailable { reason: "the store is closed".to_owned() }
    }
}
