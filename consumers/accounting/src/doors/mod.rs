//! The REST doors.

mod erasures;
mod invoices;
mod ledger;
mod transactions;

use axum::Router;
use axum::routing::{get, post};
use runtime::Transactor;

use crate::crm::Crm;

#[derive(Clone)]
pub(crate) struct Door {
    transactor: Transactor,
    crm: Crm,
}

/// Every route. Callers will be authenticated in one layer around this router.
pub(crate) fn router(transactor: Transactor, crm: Crm) -> Router {
    Router::new()
        .route("/transactions", get(transactions::list).post(transactions::create))
        .route("/transactions/{id}", get(transactions::show).put(transactions::update).delete(transactions::delete))
        .route("/invoices/{orderId}", get(invoices::show))
        .route("/ledger/trial-balance", get(ledger::trial_balance))
        .route("/erasures", post(erasures::erase))
        .with_state(Door { transactor, crm })
}
