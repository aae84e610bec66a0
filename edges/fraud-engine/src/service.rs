//! The service from its parts.

use std::time::Duration;

use runtime::{Base, Doors, Foundation, Publishing, Service, StartError, Transactor};

use crate::config::Config;
use crate::door;
use crate::migrations::MIGRATIONS;
use crate::purge;

/// The service's name.
pub const NAME: &str = "fraud-engine";

/// How often it is looked what is too old. It hears no events, so no minute either: it always has CPU.
const PURGE_PERIOD: Duration = Duration::from_secs(60);

/// The service, ready to start.
///
/// # Errors
/// [`StartError`] when the database cannot be opened.
pub fn service(base: &Base, config: Config) -> Result<Service, StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::AfterAnswer)?;
    let doors = doors(&foundation.transactor, config);
    let transactor = foundation.transactor.clone();
    Ok(Service::new(foundation, doors)
        .every(PURGE_PERIOD, move |now| purge::chore(transactor.clone(), config, now.as_millisecond())))
}

/// Its REST doors.
pub fn doors(transactor: &Transactor, config: Config) -> Doors {
    door::doors(transactor.store().clone(), config)
}
