//! An order's invoice: issued, refused, taken back, once each.

use events::billing::{InvoiceFailed, InvoiceIssued, RefundIssued};
use events::{Fact, Money};
use runtime::{Failure, Identity, Outcome};
use serde_json::{Value, json};
use testkit::event;

use crate::world::{Crm, World, cancelled, dispatched, money, requested};

#[tokio::test]
async fn an_order_is_invoiced_once_and_the_ledger_balances() {
    let world = World::new().await;
    let request = event(requested("o-1")).seal();
    assert!(matches!(world.accounting.when(&request).await, Outcome::Handled(said) if said.len() == 1));
    assert_eq!(world.accounting.when(&request).await, Outcome::Duplicate);
    // The same order asked for by another event has its invoice.
    let other = event(requested("o-1")).number(2).seal();
    assert_eq!(world.accounting.when(&other).await, Outcome::Handled(vec![]));
    let issued = world.accounting.said_facts::<InvoiceIssued>();
    assert_eq!(issued.len(), 1);
    assert_eq!(issued[0].total, Money::from_minor(30_399));
    let invoice = world.invoice("o-1").await;
    let expected = json!({
        "orderId": "o-1", "invoiceId": issued[0].invoice_id.as_str(), "status": "issued", "total": money(30_399),
        "revenueRecognized": money(0), "refunded": money(0), "creditNotes": [],
    });
    assert_eq!(invoice, expected);
    assert_eq!(world.balance("accounts_receivable").await, 30_399);
    assert_eq!(world.balance("deferred_revenue").await, -30_399);
}

/// The process dies between the commit and the answer: Pub/Sub delivers again, and the relay says what was not said.
#[tokio::test]
async fn a_crash_between_commit_and_acknowledgement_costs_nothing_and_doubles_nothing() {
    let world = World::new().await;
    let request = event(requested("o-1")).seal();
    world.accounting.bus().refuse(true);
    assert!(matches!(world.accounting.when(&request).await, Outcome::Handled(_)));
    assert_eq!((world.unsent().await, world.accounting.said().len()), (1, 0));
    assert_eq!(world.accounting.when(&request).await, Outcome::Duplicate);
    world.accounting.bus().refuse(false);
    let publisher = world.accounting.transactor().publisher();
    assert!(publisher.relay_once().await.unwrap());
    assert!(publisher.relay_once().await.unwrap());
    assert_eq!(world.accounting.said_facts::<InvoiceIssued>().len(), 1);
    assert_eq!(world.balance("accounts_receivable").await, 30_399);
}

#[tokio::test]
async fn a_customer_who_cannot_be_billed_is_an_answer_and_leaves_the_ledger_alone() {
    for (crm, code) in [(Crm::Missing, "no_billing_profile"), (Crm::Closed, "account_closed")] {
        let world = World::new().await;
        world.crm_says(crm);
        let request = event(requested("o-1")).seal();
        world.accounting.when(&request).await;
        assert_eq!(world.accounting.when(&request).await, Outcome::Duplicate);
        let failed = world.accounting.said_facts::<InvoiceFailed>();
        assert_eq!(failed.iter().map(|fact| fact.code.as_str()).collect::<Vec<_>>(), [code]);
        let invoice = world.invoice("o-1").await;
        assert_eq!((&invoice["status"], &invoice["code"]), (&json!("failed"), &json!(code)));
        assert_eq!(invoice["invoiceId"], Value::Null);
        assert_eq!(world.balance("accounts_receivable").await, 0);
        // Cancelling what was never invoiced gives nothing back.
        world.accounting.when(&event(cancelled("o-1")).from("oms").seal()).await;
        assert_eq!(world.accounting.said_facts::<RefundIssued>(), []);
    }
}

#[tokio::test]
async fn a_crm_out_of_reach_is_asked_again_later() {
    let world = World::new().await;
    world.crm_says(Crm::Down);
    let request = event(requested("o-1")).seal();
    let outcome = world.accounting.when(&request).await;
    assert!(matches!(&outcome, Outcome::Transient(failure) if failure.code() == "peer_unavailable"), "{outcome:?}");
    assert_eq!((world.accounting.said().len(), world.invoice("o-1").await), (0, Value::Null));
    world.crm_says(Crm::Active);
    assert!(matches!(world.accounting.when(&request).await, Outcome::Handled(said) if said.len() == 1));
}

#[tokio::test]
async fn a_crm_that_breaks_its_contract_is_a_dead_letter() {
    let world = World::new().await;
    world.crm_says(Crm::Nonsense);
    let outcome = world.accounting.when(&event(requested("o-1")).seal()).await;
    assert!(matches!(&outcome, Outcome::Permanent(failure) if failure.code() == "peer_unexpected"), "{outcome:?}");
}

#[tokio::test]
async fn amounts_that_do_not_add_up_are_a_dead_letter_that_names_the_field() {
    let mut wrong_total = requested("o-1");
    wrong_total.total = Money::from_minor(30_398);
    let mut euros = requested("o-1");
    euros.lines[1].unit_price.currency_code = "EUR".to_owned();
    let mut surcharge = requested("o-1");
    surcharge.discount = Money::from_minor(-1);
    surcharge.total = Money::from_minor(32_000);
    for (request, path) in [(wrong_total, "total"), (euros, "lines[1].unitPrice.currencyCode"), (surcharge, "discount")]
    {
        let world = World::new().await;
        let outcome = world.accounting.when(&event(request).seal()).await;
        let Outcome::Permanent(Failure::Permanent { code, reason }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(code, "invalid_fact");
        assert!(reason.starts_with(path), "{reason}");
        assert_eq!(world.invoice("o-1").await, Value::Null);
    }
}

#[tokio::test]
async fn an_order_cancelled_first_is_never_invoiced() {
    let world = World::new().await;
    let cancel = event(cancelled("o-1")).from("oms").seal();
    assert_eq!(world.accounting.when(&cancel).await, Outcome::Handled(vec![]));
    assert_eq!(world.accounting.when(&cancel).await, Outcome::Duplicate);
    assert_eq!(world.invoice("o-1").await, Value::Null, "nobody asked for an invoice yet");
    for number in [1, 2] {
        world.accounting.when(&event(requested("o-1")).number(number).seal()).await;
    }
    let failed = world.accounting.said_facts::<InvoiceFailed>();
    assert_eq!(failed.iter().map(|fact| fact.code.as_str()).collect::<Vec<_>>(), ["order_cancelled"]);
    assert_eq!(world.accounting.said_facts::<InvoiceIssued>(), []);
    assert_eq!(world.invoice("o-1").await["code"], json!("order_cancelled"));
    assert_eq!(world.balance("accounts_receivable").await, 0);
}

#[tokio::test]
async fn a_cancelled_order_is_reversed_by_one_credit_note() {
    let world = World::new().await;
    world.accounting.when(&event(requested("o-1")).seal()).await;
    let cancel = event(cancelled("o-1")).from("oms").seal();
    assert!(matches!(world.accounting.when(&cancel).await, Outcome::Handled(said) if said.len() == 1));
    assert_eq!(world.accounting.when(&cancel).await, Outcome::Duplicate);
    let other = event(cancelled("o-1")).from("oms").number(2).seal();
    assert_eq!(world.accounting.when(&other).await, Outcome::Handled(vec![]));
    let refunds = world.accounting.said_facts::<RefundIssued>();
    assert_eq!(refunds.len(), 1);
    assert_eq!((&refunds[0].amount, refunds[0].customer_id.as_str()), (&Money::from_minor(30_399), "john-doe"));
    let invoice = world.invoice("o-1").await;
    assert_eq!((&invoice["status"], &invoice["refunded"]), (&json!("reversed"), &money(30_399)));
    for account in ["accounts_receivable", "deferred_revenue", "revenue", "sales_returns"] {
        assert_eq!(world.balance(account).await, 0, "{account}");
    }
    // A late repetition of the request changes nothing.
    let late = event(requested("o-1")).number(3).seal();
    assert_eq!(world.accounting.when(&late).await, Outcome::Handled(vec![]));
    assert_eq!(world.invoice("o-1").await["status"], json!("reversed"));
}

#[tokio::test]
async fn a_dispatch_heard_after_the_cancellation_earns_nothing() {
    let world = World::new().await;
    world.accounting.when(&event(requested("o-1")).seal()).await;
    // Nothing of it could be delivered, so that the order was cancelled after it had left.
    world.accounting.when(&event(cancelled("o-1")).from("oms").seal()).await;
    let left = event(dispatched("o-1", "s-1", "CAMERA", 2)).from("warehouse").seal();
    assert_eq!(world.accounting.when(&left).await, Outcome::Handled(vec![]));
    for account in ["accounts_receivable", "deferred_revenue", "revenue", "sales_returns"] {
        assert_eq!(world.balance(account).await, 0, "{account}");
    }
}

#[tokio::test]
async fn an_order_that_costs_nothing_is_invoiced_and_cancelled_without_an_entry() {
    let world = World::new().await;
    let mut free = requested("o-1");
    free.discount = Money::from_minor(31_999);
    free.total = Money::zero();
    world.accounting.when(&event(free).seal()).await;
    assert_eq!(world.accounting.said_facts::<InvoiceIssued>().len(), 1);
    world.accounting.when(&event(cancelled("o-1")).from("oms").seal()).await;
    assert_eq!(world.accounting.said_facts::<RefundIssued>(), []);
    assert_eq!(world.invoice("o-1").await["status"], json!("reversed"));
}

#[test]
fn the_consumer_hears_what_the_topology_says() {
    let consumer = accounting::consumer(&accounting::Config::default(), &Identity::open_house());
    let mut heard: Vec<&str> = events::topology::EVENTS
        .iter()
        .filter(|row| row.heard_by.contains(&accounting::NAME))
        .map(|row| row.event_type)
        .collect();
    heard.sort_unstable();
    assert_eq!(consumer.event_types(), heard);
    assert!(heard.contains(&events::billing::InvoiceRequested::TYPE));
}
