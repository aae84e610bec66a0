//! The service from its parts.

use runtime::{Base, Consumer, Foundation, NoteMinute, Publishing, Service, StartError};

use crate::config::Config;
use crate::door;
use crate::migrations::MIGRATIONS;

/// The service's name: its events' source, its database's owner.
pub const NAME: &str = "checkout";

/// Checkout, assembled and not yet started. It always has CPU, so it publishes after it answered.
///
/// # Errors
/// [`StartError::Store`] when the database cannot be opened.
pub fn service(base: &Base, config: Config) -> Result<Service, StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::AfterAnswer)?;
    let identity = foundation.identity.clone();
    let doors = door::doors(foundation.transactor.clone(), &config, &identity, &foundation.metrics);
    Ok(Service::new(foundation, doors).consumer(consumer()))
}

/// What checkout does about events: a minute is when it sees to its outbox.
#[must_use]
pub fn consumer() -> Consumer {
    Consumer::new(NAME).on(NoteMinute)
}
