//! The service from its parts.

use runtime::{Base, Consumer, Doors, Foundation, NoteMinute, Publishing, Service, StartError, Transactor};

use crate::config::Config;
use crate::door;
use crate::migrations::MIGRATIONS;
use crate::note_ending::{NoteCancellation, NoteCompletion};
use crate::open_scoring::OpenScoring;
use crate::settle::{PERIOD, PURGE_PERIOD, Settler};

/// The service's name, and its consumer's.
pub const NAME: &str = "fraud-bridge";

/// The service, ready to start.
///
/// # Errors
/// [`StartError`] when the database cannot be opened.
pub fn service(base: &Base, config: Config) -> Result<Service, StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::WithinRequest)?;
    let settler = Settler::new(foundation.transactor.clone(), &config, &foundation.identity, &foundation.metrics);
    let doors = doors(&foundation.transactor);
    let janitor = settler.clone();
    let service = Service::new(foundation, doors).consumer(consumer());
    let service = service.every(PERIOD, move |now| {
        let settler = settler.clone();
        async move {
            settler.settle_due(now.as_millisecond()).await;
        }
    });
    Ok(service.every(PURGE_PERIOD, move |now| {
        let janitor = janitor.clone();
        async move { janitor.purge(now.as_millisecond()).await }
    }))
}

/// What it does about events.
#[must_use]
pub fn consumer() -> Consumer {
    Consumer::new(NAME).on(OpenScoring).on(NoteCompletion).on(NoteCancellation).on(NoteMinute)
}

/// Its REST doors.
pub fn doors(transactor: &Transactor) -> Doors {
    door::doors(transactor.store().clone())
}
