//! The REST doors.

mod erasures;
mod invoices;
mod ledger;
mod transactions;

use runtime::Caller::{Gateway, Operator};
use runtime::{Door, Doors, Transactor};

use crate::crm::Crm;

#[derive(Clone)]
pub(crate) struct House {
    transactor: Transactor,
    crm: Crm,
}

/// Every door.
pub(crate) fn doors(transactor: Transactor, crm: Crm) -> Doors {
    Doors::new()
        .get(
            "/transactions",
            transactions::list,
            Door::of("Lists transactions, with the CRM's customers").to(&[Operator]),
        )
        .post(
            "/transactions",
            transactions::create,
            Door::of("Adds a transaction, or issues an invoice").to(&[Operator]),
        )
        .get("/transactions/{id}", transactions::show, Door::of("One transaction").to(&[Operator]))
        .put("/transactions/{id}", transactions::update, Door::of("Corrects a transaction").to(&[Operator]))
        .delete("/transactions/{id}", transactions::delete, Door::of("Takes a transaction back").to(&[Operator]))
        .get("/invoices/{orderId}", invoices::show, Door::of("An order's invoice").to(&[Gateway, Operator]))
        .get("/ledger/trial-balance", ledger::trial_balance, Door::of("Debits and credits by account").to(&[Operator]))
        .post("/erasures", erasures::erase, Door::of("Forgets the text of an erased customer").to(&[Operator]))
        .with_state(House { transactor, crm })
}
