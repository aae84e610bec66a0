//! The service from its parts.

use runtime::{Base, Consumer, Doors, Foundation, Identity, NoteMinute, Publishing, Service, StartError, Transactor};

use crate::config::Config;
use crate::crm::Crm;
use crate::issue_invoice::IssueInvoice;
use crate::migrations::MIGRATIONS;
use crate::pay_refund::PayRefund;
use crate::recognize_revenue::RecognizeRevenue;
use crate::record_return::RecordReturn;
use crate::reverse_invoice::ReverseInvoice;

/// The service's name, and its consumer's.
pub const NAME: &str = "accounting";

/// The service, ready to start.
///
/// # Errors
/// [`StartError`] when the database cannot be opened.
pub fn service(base: &Base, config: Config) -> Result<Service, StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::WithinRequest)?;
    let doors = doors(&foundation.transactor, &config, &foundation.identity);
    let consumer = consumer(&config, &foundation.identity);
    Ok(Service::new(foundation, doors).consumer(consumer))
}

/// What it does about events; the CRM is called as `identity`.
#[must_use]
pub fn consumer(config: &Config, identity: &Identity) -> Consumer {
    Consumer::new(NAME)
        .on_asking(IssueInvoice::new(Crm::new(config, identity), config.fail))
        .on(RecognizeRevenue)
        .on(ReverseInvoice)
        .on(PayRefund)
        .on(RecordReturn)
        .on(NoteMinute)
}

/// Its REST doors; the CRM is called as `identity`.
pub fn doors(transactor: &Transactor, config: &Config, identity: &Identity) -> Doors {
    crate::doors::doors(transactor.clone(), Crm::new(config, identity))
}
