//! Plans foretell, and only the plan that was made is carried out.

use axum::http::StatusCode;
use bus::{Bus, Outgoing};
use events::pubsub::Message;
use serde_json::{Value, json};

use crate::world::{CONSUMER, Mode, World, orders, said};

#[tokio::test]
async fn a_plan_foretells_each_letter_and_changes_nothing() {
    let mut world = World::open().await;
    world.bury(&orders(17)).await;
    world.mode(Mode::BrokenFor7);
    let plan = world.plan(&json!({ "consumer": CONSUMER })).await;
    assert_eq!(plan["predictions"], json!({ "applied": 15, "illegal_state": 2 }));
    let failing: Vec<&Value> =
        plan["items"].as_array().unwrap().iter().filter(|item| item["prediction"] == "illegal_state").collect();
    assert_eq!((failing.len(), &failing[0]["reason"]), (2, &json!("it is a 7")));
    assert!(world.effects().await.is_empty());
    assert_eq!(world.states().await, [("open".to_owned(), 17)].into());
    let shown = world.get(&format!("/plans/{}", plan["plan"].as_str().unwrap())).await;
    assert_eq!(shown["predictions"], plan["predictions"]);
    let next = world.get(&format!("/plans/{}?limit=10&after=9", plan["plan"].as_str().unwrap())).await;
    assert_eq!(next["items"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn what_must_not_be_tried_is_skipped_and_cannot_be_included() {
    let mut world = World::open().await;
    world.bury(&orders(2)).await;
    // The first is handled after all, say by a redelivery.
    world.say(&orders(1)).await;
    world.pump().await;
    let plan = world.plan(&json!({ "consumer": CONSUMER })).await;
    assert_eq!(plan["predictions"], json!({ "applied": 1, "duplicate": 1 }));
    for hopeless in ["duplicate", "expired", "unapproved", "closed", "nonsense"] {
        let order = json!({ "plan": plan["plan"], "by": "ada", "why": "x", "include": [hopeless] });
        assert_eq!(world.post("/replays", &order).await.status, StatusCode::BAD_REQUEST, "{hopeless}");
    }
    let replay = world.replay(json!({})).await;
    let done = world.run(&replay).await;
    assert_eq!((&done["messages"]["handled"], &done["messages"]["skipped"]), (&json!(1), &json!(1)));
    assert_eq!(done["skipped"][0]["reason"], "it was handled before");
    assert_eq!(world.states().await, [("handled".to_owned(), 2)].into(), "what was handled is no open letter");
}

#[tokio::test]
async fn an_expired_an_unknown_and_a_used_plan_are_refused() {
    let mut world = World::open_with(&[("BOUTIQUE_OPS_PLAN_LIFE_MS", "1")]).await;
    world.bury(&orders(1)).await;
    let plan = world.plan(&json!({ "consumer": CONSUMER })).await;
    while runtime::clock::now_ms() < plan["expiresAtMs"].as_i64().unwrap() {
        tokio::task::yield_now().await;
    }
    let order = |plan: &Value| json!({ "plan": plan, "by": "ada", "why": "x" });
    let expired = world.post("/replays", &order(&plan["plan"])).await;
    assert_eq!((expired.status, &expired.body["code"]), (StatusCode::GONE, &json!("plan_expired")));
    assert_eq!(world.post("/replays", &order(&json!("another"))).await.status, StatusCode::NOT_FOUND);

    let mut world = World::open().await;
    world.bury(&orders(1)).await;
    let plan = world.plan(&json!({ "consumer": CONSUMER })).await;
    assert_eq!(world.post("/replays", &order(&plan["plan"])).await.status, StatusCode::CREATED);
    let used = world.post("/replays", &order(&plan["plan"])).await;
    assert_eq!((used.status, &used.body["code"]), (StatusCode::CONFLICT, &json!("plan_used")));
}

#[tokio::test]
async fn a_letter_that_died_again_since_it_was_planned_is_not_replayed_by_that_plan() {
    let mut world = World::open().await;
    world.bury(&orders(2)).await;
    let plan = world.plan(&json!({ "consumer": CONSUMER })).await;
    world.bury(&orders(1)).await;
    let order = json!({ "plan": plan["plan"], "by": "ada", "why": "x" });
    let replay = world.post("/replays", &order).await.body;
    assert_eq!((&replay["messages"]["waiting"], &replay["messages"]["skipped"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn nothing_to_plan_and_a_consumer_out_of_reach_are_said() {
    let mut world = World::open().await;
    let plan = json!({ "filter": { "consumer": CONSUMER }, "by": "ada" });
    let nothing = world.post("/plans", &plan).await;
    assert_eq!((nothing.status, &nothing.body["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("nothing_to_plan")));
    world.bury(&orders(1)).await;
    world.stop_consumer().await;
    let refused = world.post("/plans", &plan).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("peer_unavailable")));
    assert_eq!(world.post("/plans", &json!({ "filter": {}, "by": "" })).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn more_letters_than_a_dry_run_takes_are_planned_in_parts() {
    let mut world = World::open().await;
    world.bury(&orders(250)).await;
    let plan = world.plan(&json!({ "consumer": CONSUMER })).await;
    assert_eq!((&plan["letters"], &plan["predictions"]), (&json!(250), &json!({ "applied": 250 })));
    let position = |at: usize| plan["items"][at]["position"].as_i64().unwrap();
    assert_eq!((position(0), position(99)), (0, 99));
}

#[tokio::test]
async fn a_payload_no_consumer_takes_does_not_spoil_the_plan_of_the_others() {
    let mut world = World::open().await;
    world.bury(&orders(2)).await;
    let mut attributes = Message::from(said("O-3")).attributes;
    let notes =
        [("dlconsumer", CONSUMER), ("dlcode", "bad_payload"), ("dlreason", "too large"), ("dlfingerprint", "f")];
    attributes.extend(notes.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let huge = Outgoing {
        topic: format!("{CONSUMER}.dead-letters"),
        ordering_key: String::new(),
        attributes,
        data: vec![b'7'; 5 * 1024 * 1024].into(),
    };
    world.door.publish(vec![huge]).await.remove(0).unwrap();
    assert_eq!(world.ingest().await, 1);
    let plan = world.plan(&json!({ "consumer": CONSUMER })).await;
    assert_eq!(plan["predictions"], json!({ "applied": 2, "schema": 1 }));
    let huge = plan["items"].as_array().unwrap().iter().find(|item| item["prediction"] == "schema").unwrap();
    assert_eq!(huge["code"], "bad_payload");
}
