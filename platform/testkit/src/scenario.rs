//! One consumer on a fresh database.

use std::sync::Arc;

use events::pubsub::Message;
use events::{Encoded, Envelope, Fact};
use runtime::{Consumer, Deliveries, Outcome, Publisher, Publishing, Transactor};
use store::{Database, Migration, Preparation, Store, StoreError, Tx};
use tempfile::TempDir;

use crate::bus::SimulatedBus;
use crate::event::{T0, facts_of};

/// A consumer, its database and its bus.
pub struct Scenario {
    deliveries: Deliveries,
    transactor: Transactor,
    bus: Arc<SimulatedBus>,
    folder: TempDir,
}

impl Scenario {
    /// `consumer` on an empty database with its tables.
    ///
    /// # Panics
    /// When the database cannot be made.
    pub fn new(consumer: Consumer, migrations: &[Migration]) -> Self {
        Self::prepared(consumer, migrations, &|_| Ok(false))
    }

    /// As [`Scenario::new`], with what the service does to its rows at every opening.
    ///
    /// # Panics
    /// When the database cannot be made.
    pub fn prepared(consumer: Consumer, migrations: &[Migration], preparation: Preparation<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the database");
        let database = Database::Sqlite { path: folder.path().join("scenario.db") };
        let store = Store::open_prepared(&database, migrations, preparation).expect("a fresh database");
        let bus = Arc::new(SimulatedBus::default());
        let publisher =
            Publisher::new(consumer.name(), store.clone(), Arc::clone(&bus) as _, Publishing::WithinRequest);
        let transactor = Transactor::new(consumer.name(), store, publisher);
        Self { deliveries: Deliveries::new(consumer, transactor.clone()), transactor, bus, folder }
    }

    /// Writes rows that were there before, at [`T0`].
    ///
    /// # Panics
    /// When the rows are refused.
    pub async fn given<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Tx<'_>) -> Result<R, StoreError> + Send + 'static,
    ) -> R {
        self.transactor.store().write(T0, job).await.expect("rows that fit")
    }

    /// Delivers an event.
    pub async fn when(&self, envelope: &Envelope<Encoded>) -> Outcome {
        self.deliveries.deliver(envelope.clone()).await
    }

    /// Reads.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn read<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Tx<'_>) -> Result<R, StoreError> + Send + 'static,
    ) -> R {
        self.transactor.store().read(job).await.expect("a read that works")
    }

    /// What was published, in order.
    pub fn said(&self) -> Vec<Message> {
        let to_message = |out: bus::Outgoing| Message { attributes: out.attributes, data: out.data.to_vec() };
        self.bus.taken().into_iter().map(to_message).collect()
    }

    /// The facts of one type that were published, in order.
    pub fn said_facts<F: Fact>(&self) -> Vec<F> {
        facts_of(&self.said())
    }

    /// The bus.
    pub fn bus(&self) -> &SimulatedBus {
        &self.bus
    }

    /// The transactor, for commands.
    pub fn transactor(&self) -> &Transactor {
        &self.transactor
    }

    /// The folder the database is in.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}
