//! The service from its parts.

use axum::Router;
use events::Ledger;
use runtime::{Base, Consumer, Foundation, Publishing, Service, StartError};
use store::Store;

use crate::{Config, MIGRATIONS};

/// The service's name, also the consumer's.
pub const NAME: &str = "inventory";

/// The service, ready to start.
///
/// # Errors
/// [`StartError::Store`] when the database cannot be opened.
pub fn service(base: &Base, _: Config) -> Result<Service, StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::AfterAnswer)?;
    let router = router(foundation.store().clone());
    Ok(Service::new(foundation, router).consumer(consumer()))
}

/// What the service does about events.
#[must_use]
pub fn consumer() -> Consumer {
    stock::reactions(Ledger::Inventory)
}

/// The service's REST doors.
pub fn router(store: Store) -> Router {
    stock::router(store, Ledger::Inventory)
}
