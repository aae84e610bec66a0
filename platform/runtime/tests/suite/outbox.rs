//! Facts between commit and Pub/Sub.

use events::billing::InvoiceIssued;
use runtime::{Cause, Failure, Outcome};
use store::outbox;
use testkit::{Scenario, event};

use crate::fixture::{cancelled, effects, issued, scenario};

async fn unsent(shop: &Scenario) -> i64 {
    shop.read(outbox::unsent_count).await
}

#[tokio::test]
async fn what_could_not_be_published_is_relayed_once_pub_sub_is_back() {
    let shop = scenario();
    let event = event(cancelled("O1")).seal();
    shop.bus().refuse(true);

    assert!(matches!(shop.when(&event).await, Outcome::Handled(_)));
    assert_eq!(shop.when(&event).await, Outcome::Duplicate);
    assert!(shop.said().is_empty());
    let publisher = shop.transactor().publisher();
    assert_eq!(publisher.relay_once().await, Ok(false));

    shop.bus().refuse(false);
    assert_eq!(publisher.relay_once().await, Ok(true));
    assert_eq!(publisher.relay_once().await, Ok(true));

    assert_eq!(shop.said_facts::<InvoiceIssued>().len(), 1);
    assert_eq!(effects(&shop).await, 1);
}

#[tokio::test]
async fn facts_of_one_order_keep_their_order_across_a_failure() {
    let shop = scenario();
    shop.bus().refuse(true);
    shop.when(&event(cancelled("O1")).number(1).seal()).await;
    shop.bus().refuse(false);
    // The key is held back, so the later fact waits for the relay too; another order's goes out at once.
    shop.when(&event(cancelled("O1")).number(2).seal()).await;
    shop.when(&event(cancelled("O2")).seal()).await;
    let orders = |shop: &Scenario| -> Vec<String> {
        shop.said().iter().map(|message| message.attributes["ce-causationid"].clone()).collect()
    };
    let id = |order: &str, number| event(cancelled(order)).number(number).seal().id.to_string();
    assert_eq!(orders(&shop), [id("O2", 0)]);

    shop.transactor().publisher().relay_once().await.unwrap();

    assert_eq!(orders(&shop), [id("O2", 0), id("O1", 1), id("O1", 2)]);
}

#[tokio::test]
async fn sent_rows_are_marked_and_stay_for_the_timeline() {
    let shop = scenario();
    shop.when(&event(cancelled("O1")).seal()).await;
    assert_eq!(unsent(&shop).await, 1);
    shop.transactor().publisher().start_relay().stop().await;
    assert_eq!(unsent(&shop).await, 0);
    let said = shop.read(|tx| outbox::said(tx, "orders/O1")).await;
    assert_eq!(said.len(), 1);
    assert!(said[0].sent_at_ms.is_some());
}

#[tokio::test]
async fn a_command_that_fails_says_nothing() {
    let shop = scenario();
    let beginning = || Cause::Beginning { traceparent: None };
    let refused: Result<(), Failure> =
        shop.transactor().run(beginning(), |_| Err(Failure::permanent("no", "not today"))).await;
    assert!(refused.is_err());
    assert_eq!(unsent(&shop).await, 0);

    let order = "O1".parse().unwrap();
    let facts = vec![issued(&order).into(), issued(&order).into()];
    shop.transactor().run::<_, Failure>(beginning(), |_| Ok(((), facts))).await.unwrap();
    let said = shop.said();
    // The first fact begins the story; the second is caused by it.
    assert_eq!(said[0].attributes["ce-correlationid"], said[0].attributes["ce-id"]);
    assert!(!said[0].attributes.contains_key("ce-causationid"));
    assert_eq!(said[1].attributes["ce-causationid"], said[0].attributes["ce-id"]);
    assert_eq!(said[1].attributes["ce-correlationid"], said[0].attributes["ce-id"]);
}
