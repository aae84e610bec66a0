//! The service from its parts.

use events::Ledger;
use runtime::{Base, Consumer, Doors, Foundation, Publishing, Service, StartError};
use store::Store;

use crate::{Config, MIGRATIONS};

/// The service's name, also the consumer's.
pub const NAME: &str = "furniture";

/// The service, ready to start.
///
/// # Errors
/// [`StartError::Store`] when the database cannot be opened.
pub fn service(base: &Base, _: Config) -> Result<Service, StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::AfterAnswer)?;
    let doors = doors(foundation.store().clone());
    Ok(Service::new(foundation, doors).consumer(consumer()))
}

/// What the service does about events.
#[must_use]
pub fn consumer() -> Consumer {
    stock::reactions(Ledger::Furniture)
}

/// The service's REST doors: the catalogue's and the ledger's.
pub fn doors(store: Store) -> Doors {
    crate::doors::doors(store.clone()).merge(stock::doors(store, Ledger::Furniture))
}
