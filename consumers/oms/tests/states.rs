//! Every state of an order by every request there is, through the doors.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.

mod support;

use axum::Router;
use axum::http::StatusCode;
use events::Ledger;
use events::order::{OrderRejected, RejectionReason};
use events::risk::RiskLevel;
use events::states::order::State;
use oms::Config;
use runtime::{Identity, Outcome};
use serde_json::json;
use support::*;
use testkit::{Answer, Scenario, event, post};

fn doors(shop: &Scenario) -> Router {
    let config = Config {
        peer_timeout: std::time::Duration::from_millis(20),
        return_window: std::time::Duration::from_secs(3_650 * 24 * 60 * 60),
        ..Config::default()
    };
    oms::doors(shop.transactor().clone(), &config, &Identity::open_house()).open_house()
}

async fn give_back(shop: &Scenario, quantity: u32) -> Answer {
    let lines = json!([{ "productId": product_of(Ledger::Inventory), "quantity": quantity }]);
    let body = json!({ "returnId": format!("r-{quantity}"), "lines": lines, "reason": "other" });
    post(&doors(shop), "/orders/order-1/returns", &body).await
}

async fn brought_to(state: State) -> Scenario {
    let shop = shop();
    let rejected = {
        let (order_id, customer_id) = (ORDER.parse().unwrap(), "jane-smith".parse().unwrap());
        let detail = "out of stock".to_owned();
        event(OrderRejected { order_id, customer_id, reason: RejectionReason::OutOfStock, detail }).seal()
    };
    let ready = [confirmed(RiskLevel::Low), committed(), invoiced()];
    let life = match state {
        State::Pending => vec![invoiced()],
        State::Confirmed => vec![confirmed(RiskLevel::Low)],
        State::OnHold => vec![confirmed(RiskLevel::Unknown), flagged()],
        State::Fulfilling => ready.to_vec(),
        State::Shipped => [&ready[..], &[dispatched(Ledger::Inventory)]].concat(),
        State::Completed | State::Returned => {
            [&ready[..], &[dispatched(Ledger::Inventory), delivered(Ledger::Inventory, LATER)]].concat()
        }
        State::Cancelled => vec![confirmed(RiskLevel::Low), stock_rejected()],
        State::Rejected => vec![rejected],
    };
    hear_all(&shop, &life).await;
    if state == State::Returned {
        assert_eq!(give_back(&shop, 2).await.status, StatusCode::CREATED);
        hear_all(&shop, &[return_closed("r-2", Ledger::Inventory, [2, 0, 0, 0])]).await;
    }
    assert_eq!(status(&shop).await, state.as_str());
    shop
}

/// What a request is answered in a state, and where the order stands then.
fn expected(state: State, request: &str) -> (u16, Option<&'static str>, State) {
    use State::*;
    match (request, state) {
        ("cancel", Pending | Confirmed | OnHold) => (200, None, Cancelled),
        ("cancel", Cancelled) => (200, None, Cancelled),
        // Only the warehouse can say, and here it cannot be asked.
        ("cancel", Fulfilling) => (503, Some("warehouse_unavailable"), state),
        ("cancel", Shipped) => (409, Some("already_dispatched"), state),
        ("cancel", Completed | Returned) => (409, Some("order_completed"), state),
        ("cancel", Rejected) => (409, Some("order_rejected"), state),
        ("release", OnHold) => (200, None, Confirmed),
        ("refuse", OnHold) => (200, None, Cancelled),
        ("release" | "refuse", _) => (409, Some("not_on_hold"), state),
        ("returns", Completed) => (201, None, Completed),
        ("returns", Returned) => (409, Some("already_returned"), state),
        ("returns", Pending | Rejected) => (409, Some("not_in_order"), state),
        ("returns", _) => (409, Some("not_delivered"), state),
        (other, _) => panic!("{other} is no request"),
    }
}

#[tokio::test]
async fn a_request_that_an_orders_state_forbids_is_a_conflict_and_says_nothing() {
    for state in State::ALL.iter().copied() {
        for request in ["cancel", "release", "refuse", "returns"] {
            let shop = brought_to(state).await;
            let words = shop.said().len();
            let answer = match request {
                "returns" => give_back(&shop, 1).await,
                "release" => post(&doors(&shop), "/orders/order-1/release", &json!({ "releasedBy": "reviewer" })).await,
                "refuse" => post(&doors(&shop), "/orders/order-1/refuse", &json!({ "refusedBy": "reviewer" })).await,
                _ => post(&doors(&shop), "/orders/order-1/cancel", &json!({})).await,
            };
            let (code, problem, to) = expected(state, request);
            assert_eq!((answer.status.as_u16(), answer.body["code"].as_str()), (code, problem), "{request} {state:?}");
            assert_eq!(status(&shop).await, to.as_str(), "{request} {state:?}");
            assert_eq!(shop.said().len() > words, code < 300 && state != State::Cancelled, "{request} {state:?}");
        }
    }
}

#[tokio::test]
async fn checkout_cannot_take_back_its_own_word() {
    for state in [State::Confirmed, State::Completed] {
        let shop = brought_to(state).await;
        let (order_id, customer_id) = (ORDER.parse().unwrap(), "jane-smith".parse().unwrap());
        let detail = "out of stock".to_owned();
        let rejected =
            event(OrderRejected { order_id, customer_id, reason: RejectionReason::OutOfStock, detail }).seal();
        let outcome = shop.when(&rejected).await;
        assert!(matches!(&outcome, Outcome::Permanent(failure) if failure.code() == "illegal_state"), "{outcome:?}");
        assert_eq!(status(&shop).await, state.as_str());
    }
}

#[tokio::test]
async fn a_reviewers_word_given_twice_counts_once_and_not_against_what_was_decided_meanwhile() {
    let release = json!({ "releasedBy": "reviewer" });
    let shop = brought_to(State::OnHold).await;
    for _ in 0..2 {
        assert_eq!(post(&doors(&shop), "/orders/order-1/release", &release).await.status, StatusCode::OK);
    }
    assert_eq!(said(&shop), ["order.on_hold", "order.released"]);

    let shop = brought_to(State::OnHold).await;
    let refuse = json!({ "refusedBy": "deadline" });
    for _ in 0..2 {
        assert_eq!(post(&doors(&shop), "/orders/order-1/refuse", &refuse).await.status, StatusCode::OK);
    }
    let late = post(&doors(&shop), "/orders/order-1/release", &release).await;
    assert_eq!((late.status, late.body["code"].as_str()), (StatusCode::CONFLICT, Some("not_on_hold")));
    assert_eq!(said(&shop), ["order.on_hold", "order.cancelled"]);
}

#[tokio::test]
async fn an_order_on_hold_is_cancelled_by_its_customer_and_released_no_more() {
    let shop = brought_to(State::OnHold).await;
    let answer = post(&doors(&shop), "/orders/order-1/cancel", &json!({})).await;
    assert_eq!((answer.status, &answer.body["cancellationReason"]), (StatusCode::OK, &json!("by_customer")));
    let late = post(&doors(&shop), "/orders/order-1/release", &json!({ "releasedBy": "reviewer" })).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    hear_all(&shop, &[committed(), invoiced()]).await;
    assert_eq!(said(&shop), ["order.on_hold", "order.cancelled"]);
}
