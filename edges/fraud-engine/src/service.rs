//! The service from its parts.

use runtime::{Base, Doors, Foundation, Publishing, Service, StartError, Transactor};

use crate::config::Config;
use crate::door;
use crate::migrations::MIGRATIONS;

/// The service's name.
pub const NAME: &str = "fraud-engine";

/// The service, ready to start.
///
/// # Errors
/// [`StartError`] when the database cannot be opened.
pub fn service(base: &Base, config: Config) -> Result<Service, StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::AfterAnswer)?;
    let doors = doors(&foundation.transactor, config);
    Ok(Service::new(foundation, doors))
}

/// Its REST doors.
pub fn doors(transactor: &Transactor, config: Config) -> Doors {
    door::doors(transactor.store().clone(), config)
}
