//! The warehouse from its parts.

use std::time::Duration;

use runtime::{Base, Foundation, Publishing, Service, StartError};

use crate::config::Config;
use crate::migrations::MIGRATIONS;

/// The service's and the consumer's name.
pub const NAME: &str = "warehouse";
/// How often shipments are looked through for those that are due.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// How often returns are looked through for those that are overdue.
const LAPSE_EVERY: Duration = Duration::from_secs(60);

/// The warehouse, assembled and not yet started.
///
/// # Errors
/// [`StartError`] when the database cannot be opened.
pub fn service(base: &Base, config: Config) -> Result<Service, StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::WithinRequest)?;
    let doors = crate::doors::doors(foundation.transactor.clone(), &config, &foundation.identity);
    let consumer = crate::reactions::consumer(&config, &foundation.identity);
    let (transactor, delays) = (foundation.transactor.clone(), config.delays);
    let (waiting, patience) = (foundation.transactor.clone(), config.return_patience);
    let service = Service::new(foundation, doors).consumer(consumer);
    let service = service.every(PROGRESS_EVERY, move |now| {
        let transactor = transactor.clone();
        async move { crate::progress::progress(&transactor, delays, now.as_millisecond()).await }
    });
    Ok(service.every(LAPSE_EVERY, move |now| {
        let transactor = waiting.clone();
        async move { crate::lapse::lapse(&transactor, patience, now.as_millisecond()).await }
    }))
}
