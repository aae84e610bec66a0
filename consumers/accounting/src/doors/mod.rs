//! The REST doors.

mod erasures;
mod invoices;
mod ledger;
mod transactions;

use runtime::Caller::{self, Gateway, Oms, Operator};
use runtime::{Door, Doors, Transactor};

use crate::crm::Crm;

/// Who may see the CRM's customers in the list of transactions: those at the CRM's own door, but for us.
const SEE_CUSTOMERS: &[Caller] = &[Operator];

#[derive(Clone)]
pub(crate) struct House {
    transactor: Transactor,
    crm: Crm,
}

/// Every door.
pub(crate) fn doors(transactor: Transactor, crm: Crm) -> Doors {
    const ADD: Door = Door::of("Adds a transaction, or issues an invoice").to(&[Oms, Operator]).described(|it| {
        it.takes::<transactions::New>()
            .gives::<transactions::Made>(201, "it is made")
            .gives::<invoices::InvoiceView>(200, "the invoice was issued before")
            .refuses(422, "the order cannot be invoiced")
    });
    Doors::new()
        .get(
            "/transactions",
            transactions::list,
            Door::of("Lists transactions, with the CRM's customers for the operator").to(&[Oms, Operator]),
        )
        .post("/transactions", transactions::create, ADD)
        .get("/transactions/{id}", transactions::show, Door::of("One transaction").to(&[Operator]))
        .put("/transactions/{id}", transactions::update, Door::of("Corrects a transaction").to(&[Operator]))
        .delete("/transactions/{id}", transactions::delete, Door::of("Takes a transaction back").to(&[Operator]))
        .get("/invoices/{orderId}", invoices::show, Door::of("An order's invoice").to(&[Gateway, Operator]))
        .get("/ledger/trial-balance", ledger::trial_balance, Door::of("Debits and credits by account").to(&[Operator]))
        .post("/erasures", erasures::erase, Door::of("Forgets the text of an erased customer").to(&[Operator]))
        .with_state(House { transactor, crm })
}
