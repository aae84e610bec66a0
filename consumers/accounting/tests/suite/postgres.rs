//! Accounting's SQL means the same on PostgreSQL (where `BOUTIQUE_TEST_POSTGRES` names a server), and refunds from before credit notes had
//! numbers get theirs.

use std::sync::Arc;

use accounting::MIGRATIONS;
use events::Money;
use events::billing::{RefundIssued, RefundRequested};
use runtime::{Deliveries, Identity, Outcome, Publisher, Publishing, Transactor, clock};
use serde_json::json;
use store::{Database, Store, StoreError, Tx};
use testkit::{SimulatedBus, event, facts_of, get};

use crate::world::{World, dispatched, money, requested};

const BEFORE: [&str; 3] = [
    "INSERT INTO ledger_transactions (transaction_id, kind, order_id, at_ms) VALUES ('refund-r-1', 'refund', 'o-1', 7)",
    "INSERT INTO ledger_entries (transaction_id, position, account, side, amount_minor) VALUES
        ('refund-r-1', 1, 'sales_returns', 'debit', 60), ('refund-r-1', 2, 'accounts_receivable', 'credit', 60),
        ('refund-r-1', 3, 'deferred_revenue', 'debit', 40), ('refund-r-1', 4, 'accounts_receivable', 'credit', 40)",
    "INSERT INTO invoices (order_id, status, invoice_id, customer_id, total_minor, deferred_minor, recognized_minor, refunded_minor,
        lines, requested_at_ms) VALUES ('o-1', 'issued', 'i-1', 'john-doe', 200, 40, 60, 100, '[]', 7)",
];

/// Databases to try: SQLite always, PostgreSQL where there is a server.
fn databases(folder: &std::path::Path) -> Vec<Database> {
    let mut databases = vec![Database::Sqlite { path: folder.join("accounting.db") }];
    match std::env::var("BOUTIQUE_TEST_POSTGRES") {
        Ok(url) => {
            databases.push(Database::Postgres { url, schema: format!("accounting_{}", clock::new_id().simple()) })
        }
        Err(_) => {
            let required = std::env::var("BOUTIQUE_REQUIRE_POSTGRES");
            assert_ne!(required.as_deref(), Ok("1"), "BOUTIQUE_TEST_POSTGRES is not set");
        }
    }
    databases
}

fn transactor(store: Store) -> Transactor {
    let publisher =
        Publisher::new("accounting", store.clone(), Arc::new(SimulatedBus::default()), Publishing::WithinRequest);
    Transactor::new("accounting", store, publisher)
}

#[tokio::test]
async fn a_refund_from_before_credit_notes_had_numbers_has_one() {
    let folder = tempfile::tempdir().unwrap();
    for database in databases(folder.path()) {
        let old = Store::open(&database, &MIGRATIONS[..1]).unwrap();
        let rows = |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            BEFORE.iter().try_for_each(|sql| tx.execute(sql, &[]).map(drop))
        };
        old.write(7, rows).await.unwrap();
        old.close().await;
        let transactor = transactor(Store::open(&database, MIGRATIONS).unwrap());
        let world = World::new().await;
        let shown =
            get(&accounting::doors(&transactor, &world.config, &Identity::open_house()).open_house(), "/invoices/o-1")
                .await
                .body;
        let notes = shown["creditNotes"].as_array().unwrap();
        assert_eq!((notes.len(), &notes[0]["refundId"], &notes[0]["amount"]), (1, &json!("r-1"), &money(100)));
    }
}

#[tokio::test]
async fn an_invoice_is_earned_and_given_back_on_every_database() {
    let folder = tempfile::tempdir().unwrap();
    for database in databases(folder.path()) {
        let transactor = transactor(Store::open(&database, MIGRATIONS).unwrap());
        let world = World::new().await;
        let deliveries =
            Deliveries::new(accounting::consumer(&world.config, &Identity::open_house()), transactor.clone());
        let refund = |id: &str, minor| {
            event(RefundRequested {
                order_id: "o-1".parse().unwrap(),
                refund_id: id.parse().unwrap(),
                amount: Money::from_minor(minor),
                reason: "returned".to_owned(),
                shipment_id: None,
            })
            .from("oms")
            .seal()
        };
        let life =
            [event(requested("o-1")).seal(), event(dispatched("o-1", "s-1", "CAMERA", 2)).from("warehouse").seal()];
        for fact in life {
            assert!(matches!(deliveries.deliver(fact.clone()).await, Outcome::Handled(_)));
            assert_eq!(deliveries.deliver(fact).await, Outcome::Duplicate);
        }
        for (id, minor) in [("r-1", 1_000), ("r-2", 29_399)] {
            let Outcome::Handled(said) = deliveries.deliver(refund(id, minor)).await else { panic!("{id}") };
            assert_eq!(facts_of::<RefundIssued>(&said).len(), 1);
            assert_eq!(deliveries.deliver(refund(id, minor)).await, Outcome::Duplicate);
        }
        let outcome = deliveries.deliver(refund("r-3", 1)).await;
        assert!(matches!(&outcome, Outcome::Permanent(failure) if failure.code() == "illegal_state"), "{outcome:?}");
        let shown =
            get(&accounting::doors(&transactor, &world.config, &Identity::open_house()).open_house(), "/invoices/o-1")
                .await
                .body;
        assert_eq!((&shown["refunded"], shown["creditNotes"].as_array().unwrap().len()), (&money(30_399), 2));
    }
}
