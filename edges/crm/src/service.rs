//! The service from its parts.

use ::store::{StoreError, Tx};
use runtime::{Base, Consumer, Doors, Foundation, NoteMinute, Publishing, Service, StartError, Transactor};

use crate::config::Config;
use crate::count_completion::CountCompletion;
use crate::count_order::CountOrder;
use crate::deduct_refund::DeductRefund;
use crate::door;
use crate::migrations::MIGRATIONS;
use crate::prepare::prepare;
use crate::vault::Vault;

/// The service's name, and its consumer's.
pub const NAME: &str = "crm";

/// The service, ready to start.
///
/// # Errors
/// [`StartError`] when the database cannot be opened, or was sealed with another master key.
pub fn service(base: &Base, config: Config) -> Result<Service, StartError> {
    let publishing = Publishing::AfterAnswer;
    let foundation = Foundation::open_prepared(NAME, base, MIGRATIONS, publishing, &preparation(config))?;
    let doors = doors(&foundation.transactor, config);
    Ok(Service::new(foundation, doors).consumer(consumer(&config)))
}

/// What is done to the customers whenever the database is opened.
pub fn preparation(config: Config) -> impl Fn(&mut Tx<'_>) -> Result<bool, StoreError> + Sync {
    move |tx| prepare(tx, &config)
}

/// What it does about events.
#[must_use]
pub fn consumer(config: &Config) -> Consumer {
    let vault = Vault::new(&config.master_key);
    let (deduct, complete) = (DeductRefund { vault: vault.clone() }, CountCompletion { vault: vault.clone() });
    Consumer::new(NAME).on(CountOrder { vault }).on(complete).on(deduct).on(NoteMinute)
}

/// Its REST doors.
pub fn doors(transactor: &Transactor, config: Config) -> Doors {
    door::doors(transactor.store().clone(), config)
}
