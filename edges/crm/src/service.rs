//! The service from its parts.

use runtime::{Base, Consumer, Doors, Foundation, NoteMinute, Publishing, Service, StartError, Transactor};

use crate::config::Config;
use crate::count_completion::CountCompletion;
use crate::count_order::CountOrder;
use crate::deduct_refund::DeductRefund;
use crate::door;
use crate::migrations::MIGRATIONS;

/// The service's name, and its consumer's.
pub const NAME: &str = "crm";

/// The service, ready to start.
///
/// # Errors
/// [`StartError`] when the database cannot be opened.
pub fn service(base: &Base, config: Config) -> Result<Service, StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::AfterAnswer)?;
    let doors = doors(&foundation.transactor, config);
    Ok(Service::new(foundation, doors).consumer(consumer()))
}

/// What it does about events.
#[must_use]
pub fn consumer() -> Consumer {
    Consumer::new(NAME).on(CountOrder).on(CountCompletion).on(DeductRefund).on(NoteMinute)
}

/// Its REST doors.
pub fn doors(transactor: &Transactor, config: Config) -> Doors {
    door::doors(transactor.store().clone(), config)
}
