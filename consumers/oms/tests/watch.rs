//! What a minute makes of orders that wait.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.

mod support;

use events::order::{CancellationReason, OrderCancelled, OrderReleased, OrderStuck};
use events::platform::MinuteElapsed;
use events::risk::RiskLevel;
use events::{Encoded, Envelope, Ledger, Timestamp};
use oms::{Config, Deadlines, MIGRATIONS, Unreviewed};
use runtime::{Identity, Outcome};
use serde_json::{Value, json};
use store::params;
use support::*;
use testkit::{Scenario, T0, event, facts_of, get};

const DEADLINES: Deadlines = Deadlines {
    order_ms: 60_000,
    stock_ms: 60_000,
    invoice_ms: 120_000,
    risk_ms: 600_000,
    review_ms: 300_000,
    dispatch_ms: 60_000,
    delivery_ms: 60_000,
    unreviewed: Unreviewed::Cancel,
};

fn watched(deadlines: Deadlines) -> Scenario {
    Scenario::new(oms::consumer_with(deadlines), MIGRATIONS)
}

/// The minute that ended `after_ms` after the beginning.
fn minute(after_ms: i64) -> Envelope<Encoded> {
    let at_ms = T0 + after_ms;
    event(MinuteElapsed { minute: Timestamp::from_millisecond(at_ms).unwrap() }).from("scheduler").at(at_ms).seal()
}

/// What the shop said about an order stuck, as (missing event, owed by).
fn stuck(outcome: &Outcome) -> Vec<(String, String)> {
    match outcome {
        Outcome::Handled(messages) => facts_of::<OrderStuck>(messages)
            .into_iter()
            .map(|fact| (fact.missing_event_type.replace("com.onlineboutique.", ""), fact.owed_by))
            .collect(),
        other => panic!("{other:?}"),
    }
}

async fn listed(shop: &Scenario) -> Vec<String> {
    let doors = oms::doors(
        shop.transactor().clone(),
        &Config { deadlines: DEADLINES, ..Config::default() },
        &Identity::open_house(),
    )
    .open_house();
    let page = get(&doors, "/orders/stuck").await.body;
    page["orders"].as_array().unwrap().iter().map(|order| order["orderId"].as_str().unwrap().to_owned()).collect()
}

fn pair(missing: &str, owed_by: &str) -> (String, String) {
    (missing.to_owned(), owed_by.to_owned())
}

#[tokio::test]
async fn a_silent_step_makes_the_order_stuck_once_and_its_event_clears_it() {
    let shop = watched(DEADLINES);
    let opening = confirmed(RiskLevel::Low);
    hear_all(&shop, &[opening.clone(), committed()]).await;

    assert_eq!(stuck(&shop.when(&minute(119_999)).await), []);
    let first = shop.when(&minute(120_000)).await;
    let again = shop.when(&minute(120_000)).await;
    let next = shop.when(&minute(180_000)).await;

    assert_eq!(stuck(&first), [pair("billing.invoice_issued.v1", "accounting")]);
    assert_eq!(again, Outcome::Duplicate);
    assert_eq!(stuck(&next), [], "said once");
    let Outcome::Handled(said) = first else { unreachable!() };
    assert_eq!(said[0].attributes["ce-correlationid"], opening.id.as_str(), "it belongs to the order's story");
    assert_eq!(said[0].attributes["ce-causationid"], minute(120_000).id.as_str());
    assert_eq!(facts_of::<OrderStuck>(&said)[0].since.as_millisecond(), T0);
    assert_eq!(listed(&shop).await, [ORDER]);
    assert_eq!(status(&shop).await, "confirmed");

    hear_all(&shop, &[invoiced()]).await;
    assert_eq!(listed(&shop).await, Vec::<String>::new());
    assert_eq!(status(&shop).await, "fulfilling", "a stuck order goes on as if nothing had been");
}

#[tokio::test]
async fn each_missing_step_has_its_own_deadline_and_its_own_word() {
    let shop = watched(DEADLINES);
    hear_all(&shop, &[confirmed_order(ORDER, &Ledger::ALL, RiskLevel::Unknown)]).await;
    let at = async |after_ms| stuck(&shop.when(&minute(after_ms)).await);
    assert_eq!(
        at(60_000).await,
        [pair("inventory.stock_committed.v1", "inventory"), pair("inventory.stock_committed.v1", "furniture")]
    );
    assert_eq!(at(120_000).await, [pair("billing.invoice_issued.v1", "accounting")]);
    assert_eq!(at(540_000).await, []);
    assert_eq!(at(600_000).await, [pair("risk.fraud_cleared.v1", "fraud-bridge")]);
    let ids: std::collections::BTreeSet<String> =
        shop.said().iter().map(|message| message.attributes["ce-id"].clone()).collect();
    assert_eq!(ids.len(), 4, "each is an event of its own");
}

#[tokio::test]
async fn facts_without_a_confirmation_are_stuck_on_it() {
    let shop = watched(DEADLINES);
    hear_all(&shop, &[invoiced()]).await;
    assert_eq!(stuck(&shop.when(&minute(60_000)).await), [pair("order.confirmed.v1", "checkout")]);
    hear_all(&shop, &[confirmed(RiskLevel::Low)]).await;
    assert_eq!(listed(&shop).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_was_dispatched_and_never_arrives_is_stuck_with_the_warehouse() {
    let shop = watched(DEADLINES);
    hear_all(&shop, &[confirmed(RiskLevel::Low), committed(), invoiced(), dispatched(Ledger::Inventory)]).await;
    assert_eq!(stuck(&shop.when(&minute(59_999)).await), []);
    assert_eq!(stuck(&shop.when(&minute(60_000)).await), [pair("fulfillment.shipment_delivered.v1", "warehouse")]);
    hear_all(&shop, &[delivered(Ledger::Inventory, LATER)]).await;
    assert_eq!((status(&shop).await.as_str(), listed(&shop).await.len()), ("completed", 0));
}

/// The hold's time is the database's: the minute has to be later than that, and no minute is believed that is far ahead of it.
const SHORT_REVIEW: Deadlines = Deadlines { review_ms: 1, ..DEADLINES };

fn after_the_review() -> i64 {
    runtime::clock::now_ms() - T0 + SHORT_REVIEW.review_ms + 1
}

#[tokio::test]
async fn an_order_nobody_reviewed_is_cancelled_by_the_deadline() {
    let shop = watched(SHORT_REVIEW);
    hear_all(&shop, &[confirmed(RiskLevel::Unknown), committed(), invoiced(), flagged()]).await;
    assert_eq!(status(&shop).await, "on_hold");
    shop.when(&minute(0)).await;
    assert_eq!(status(&shop).await, "on_hold");

    let late = minute(after_the_review());
    shop.when(&late).await;
    assert_eq!(shop.when(&late).await, Outcome::Duplicate);

    let cancelled = shop.said_facts::<OrderCancelled>();
    assert_eq!(cancelled.iter().map(|fact| fact.reason).collect::<Vec<_>>(), [CancellationReason::FraudConfirmed]);
    assert_eq!(shop.said_facts::<OrderReleased>(), []);
    assert_eq!(shop.said_facts::<OrderStuck>(), []);
    assert_eq!(status(&shop).await, "cancelled");
}

#[tokio::test]
async fn a_minute_that_is_not_over_yet_ends_nothing_that_has_time_left() {
    let shop = watched(DEADLINES);
    hear_all(&shop, &[confirmed(RiskLevel::Unknown), committed(), invoiced(), flagged()]).await;
    let a_year_ms = 365 * 24 * 60 * 60 * 1_000;
    assert_eq!(stuck(&shop.when(&minute(after_the_review() + a_year_ms)).await), []);
    assert_eq!((status(&shop).await.as_str(), said(&shop)), ("on_hold", vec!["order.on_hold".to_owned()]));
}

#[tokio::test]
async fn an_order_nobody_reviewed_goes_on_where_the_policy_says_so() {
    let shop = watched(Deadlines { unreviewed: Unreviewed::Release, ..SHORT_REVIEW });
    hear_all(&shop, &[confirmed(RiskLevel::Unknown), committed(), invoiced(), flagged()]).await;
    shop.when(&minute(after_the_review())).await;
    let released = shop.said_facts::<OrderReleased>();
    assert_eq!(released.iter().map(|fact| fact.released_by.as_str()).collect::<Vec<_>>(), ["deadline"]);
    assert_eq!(said(&shop), ["order.on_hold", "order.released", "fulfillment.requested"]);
    assert_eq!(status(&shop).await, "fulfilling");
}

#[tokio::test]
async fn more_orders_than_a_minute_takes_are_taken_by_the_next() {
    let shop = watched(DEADLINES);
    for number in 0..1_001 {
        hear_all(&shop, &[confirmed_order(&format!("order-{number}"), &[Ledger::Inventory], RiskLevel::Low)]).await;
    }
    assert_eq!(stuck(&shop.when(&minute(60_000)).await).len(), 1_000);
    assert_eq!(stuck(&shop.when(&minute(60_001)).await).len(), 1);
    // The stuck ones are not in the way of what is due next.
    assert_eq!(stuck(&shop.when(&minute(120_000)).await).len(), 1_000);
}

#[tokio::test]
async fn stuck_orders_are_listed_page_by_page_with_what_is_missing() {
    let shop = watched(DEADLINES);
    for number in 1..=3 {
        hear_all(&shop, &[confirmed_order(&format!("order-{number}"), &[Ledger::Inventory], RiskLevel::Low)]).await;
    }
    hear_all(&shop, &[invoiced_for("order-2"), committed_for("order-2", Ledger::Inventory)]).await;
    shop.when(&minute(60_000)).await;
    let doors = oms::doors(
        shop.transactor().clone(),
        &Config { deadlines: DEADLINES, ..Config::default() },
        &Identity::open_house(),
    )
    .open_house();

    let first = get(&doors, "/orders/stuck?limit=1").await.body;
    assert_eq!(first["orders"][0]["orderId"], "order-1");
    let waits = &first["orders"][0]["waits"];
    assert_eq!(waits[0]["step"], "stock:inventory");
    assert_eq!(waits[0]["missing"], "com.onlineboutique.inventory.stock_committed.v1");
    assert_eq!(waits[0]["follows"], "com.onlineboutique.inventory.stock_reserved.v1");
    assert_eq!((&waits[0]["owedBy"], &waits[0]["since"]), (&json!("inventory"), &json!("2026-01-01T00:00:00Z")));
    assert_eq!(waits[0]["deadline"], "2026-01-01T00:01:00Z");
    assert!(waits[0]["stuckSince"].is_string(), "{waits}");
    assert_eq!((&waits[1]["step"], &waits[1]["stuckSince"]), (&json!("invoice"), &Value::Null));

    let second = get(&doors, "/orders/stuck?limit=1&after=order-1").await.body;
    assert_eq!(second["orders"][0]["orderId"], "order-3");
    let last = get(&doors, "/orders/stuck?limit=1&after=order-3").await.body;
    assert_eq!((&last["orders"], &last["next"]), (&json!([]), &Value::Null));
}

/// Without minutes nothing is found stuck: whoever reads the list sees how fresh it is.
#[tokio::test]
async fn the_list_of_stuck_orders_says_when_a_minute_was_heard() {
    let shop = watched(DEADLINES);
    let doors = oms::doors(shop.transactor().clone(), &Config::default(), &Identity::open_house()).open_house();
    assert_eq!(get(&doors, "/orders/stuck").await.body, json!({ "orders": [] }));
    let before = runtime::clock::now();
    shop.when(&minute(0)).await;
    shop.when(&minute(60_000)).await;
    let heard: Timestamp = get(&doors, "/orders/stuck").await.body["minuteHeardAt"].as_str().unwrap().parse().unwrap();
    assert!(heard.as_millisecond() >= before.as_millisecond(), "by our own clock: {heard}");
}

/// A row of a database that was made before rows said what they wait for.
#[tokio::test]
async fn an_order_from_before_is_watched_too() {
    let shop = watched(DEADLINES);
    hear_all(&shop, &[confirmed(RiskLevel::Low)]).await;
    shop.given(|tx| {
        let old = "UPDATE orders SET waits_for = ?1, waits_from_ms = ?2 WHERE order_id = 'order-1'";
        tx.execute(old, params![127, T0])
    })
    .await;
    assert_eq!(stuck(&shop.when(&minute(60_000)).await).len(), 1);
}

#[tokio::test]
async fn a_minute_with_nothing_due_writes_nothing() {
    let shop = watched(DEADLINES);
    hear_all(&shop, &[confirmed(RiskLevel::Low)]).await;
    let row = "SELECT facts, updated_at_ms FROM orders";
    let rows = async || shop.read(move |tx| tx.query(row, &[], |row| Ok((row.get_text(0)?, row.get_i64(1)?)))).await;
    let before = rows().await;
    shop.when(&minute(1)).await;
    assert_eq!(rows().await, before);
}
