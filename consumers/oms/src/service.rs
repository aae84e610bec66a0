//! OMS from its parts.

use runtime::{Base, Foundation, Publishing, Service, StartError};

use crate::config::Config;
use crate::migrations::MIGRATIONS;

/// The service's and the consumer's name.
pub const NAME: &str = "oms";

/// OMS, assembled and not yet started.
///
/// # Errors
/// [`StartError`] when the database cannot be opened.
pub fn service(base: &Base, config: Config) -> Result<Service, StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::WithinRequest)?;
    let doors = crate::doors::doors(foundation.transactor.clone(), &config, &foundation.identity);
    Ok(Service::new(foundation, doors).consumer(crate::reactions::consumer_with(config.deadlines)))
}
