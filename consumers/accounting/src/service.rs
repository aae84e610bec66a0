//! The service from its parts.

use axum::Router;
use runtime::{Base, Consumer, Foundation, NoteMinute, Publishing, Service, StartError, Transactor};

use crate::config::Config;
use crate::crm::Crm;
use crate::doors;
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
    let doors = router(&foundation.transactor, &config);
    Ok(Service::new(foundation, doors).consumer(consumer(&config)))
}

/// What it does about events.
#[must_use]
pub fn consumer(config: &Config) -> Consumer {
    Consumer::new(NAME)
        .on_asking(IssueInvoice::new(Crm::new(config), config.fail))
        .on(RecognizeRevenue)
        .on(ReverseInvoice)
        .on(PayRefund)
        .on(RecordReturn)
        .on(NoteMinute)
}

/// Its REST doors.
pub fn router(transactor: &Transactor, config: &Config) -> Router {
    doors::router(transactor.clone(), Crm::new(config))
}
