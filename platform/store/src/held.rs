//! A database in memory that outlives the stores opened on it, for simulations: many services on one thread, each job here and now.
//!
//! It runs the same statements on the same engine as a SQLite file, in the same order of steps: a savepoint for each job, kept or
//! undone. What it does not have is a disk, a writer's thread and a group of jobs, so a run depends on nothing but its inputs.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::engines::sqlite::Memory;
use crate::{StoreError, Tx};

/// What becomes of a job that is about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It runs.
    Runs,
    /// It is refused, and its caller told why.
    Refused(StoreError),
    /// Its process died: it does not run, and nobody is told.
    Never,
}

/// Stands at the door of one process's way to a [`HeldDatabase`] and decides what goes wrong there.
pub trait Gate: Send + Sync {
    /// A job is about to begin.
    fn enter(&self) -> Fate;

    /// A job that may write has run, inside its transaction; `keeps` says whether it wants its effects. False undoes them.
    ///
    /// # Errors
    /// What a commit that failed tells the caller; the effects are undone.
    fn leave(&self, tx: &mut Tx<'_>, keeps: bool) -> Result<bool, StoreError>;

    /// The effects of a job were undone. What is written here stays.
    fn undone(&self, tx: &mut Tx<'_>);

    /// How long the caller waits for its answer, once the job is over; for a process that died, forever.
    fn answer(&self) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// A SQLite database in memory. It is there for as long as a clone of it is.
#[derive(Clone)]
pub struct HeldDatabase {
    pub(crate) memory: Arc<Memory>,
}

impl HeldDatabase {
    /// An empty one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no memory for it.
    pub fn new() -> Result<HeldDatabase, StoreError> {
        Ok(HeldDatabase { memory: Arc::new(Memory::open()?) })
    }

    /// Makes what is in it now the state that [`HeldDatabase::restore`] brings back.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn keep(&self) -> Result<(), StoreError> {
        self.memory.keep()
    }

    /// Brings the kept state back, exactly.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn restore(&self) -> Result<(), StoreError> {
        self.memory.restore()
    }

    /// The address of this database for a process that comes in through `gate`.
    #[must_use]
    pub fn through(&self, gate: Arc<dyn Gate>) -> crate::Database {
        crate::Database::Held(Held { database: self.clone(), gate })
    }
}

/// One process's way to a [`HeldDatabase`].
#[derive(Clone)]
pub struct Held {
    pub(crate) database: HeldDatabase,
    pub(crate) gate: Arc<dyn Gate>,
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.database.memory, &other.database.memory) && Arc::ptr_eq(&self.gate, &other.gate)
    }
}

impl Eq for Held {}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}

/// A gate that nothing goes wrong at.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenGate;

impl Gate for OpenGate {
    fn enter(&self) -> Fate {
        Fate::Runs
    }

    fn leave(&self, _: &mut Tx<'_>, keeps: bool) -> Result<bool, StoreError> {
        Ok(keeps)
    }

    fn undone(&self, _: &mut Tx<'_>) {}

    fn answer(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}
