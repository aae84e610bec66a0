//! Replays: ramp, rate, stop, resume, cancel; and twice is once.

use axum::http::StatusCode;
use events::pubsub::Message;
use ops::Progress;
use serde_json::json;

use crate::world::{CONSUMER, Mode, World, once, orders, said};

#[tokio::test]
async fn a_replay_brings_every_letter_to_its_consumer_and_a_second_one_changes_nothing() {
    let mut world = World::open().await;
    world.bury(&orders(30)).await;
    let replay = world.replay(json!({})).await;
    assert_eq!(world.states().await, [("replaying".to_owned(), 30)].into());
    let done = world.run(&replay).await;
    assert_eq!((&done["state"], &done["messages"]["handled"]), (&json!("finished"), &json!(30)));
    assert_eq!(world.effects().await, once(&orders(30)));
    assert_eq!(world.states().await, [("handled".to_owned(), 30)].into());

    // The same letters once more: the plan says so, and whoever publishes them all the same does no harm.
    let named: Vec<_> = world.letters().await.iter().map(|letter| letter["letterId"].clone()).collect();
    let plan = world.plan(&json!({ "letters": named })).await;
    assert_eq!(plan["predictions"], json!({ "duplicate": 30 }));
    world.say(&orders(30)).await;
    world.pump().await;
    assert_eq!(world.effects().await, once(&orders(30)));
    assert_eq!(world.ingest().await, 0);
}

#[tokio::test]
async fn a_replayed_message_keeps_its_id_and_names_its_target_and_its_replay() {
    let mut world = World::open().await;
    world.bury(&orders(1)).await;
    let replay = world.replay(json!({})).await;
    while world.advance(&replay).await == Progress::Moved {}
    let step = world.pubsub.lock().unwrap().step();
    let testkit::pubsub::Step::Push(push) = step else { panic!("{step:?}") };
    let attributes = &push.message.draft.attributes;
    let mut expected = Message::from(said("O-1")).attributes;
    expected.insert("ce-replaytarget".to_owned(), CONSUMER.to_owned());
    expected.insert("ce-replayid".to_owned(), replay);
    assert_eq!(*attributes, expected);
    assert_eq!(push.message.draft.data.to_vec(), Message::from(said("O-1")).data);
}

#[tokio::test]
async fn each_step_of_the_ramp_settles_before_the_next_is_published() {
    let mut world = World::open().await;
    world.bury(&orders(20)).await;
    let replay = world.replay(json!({ "ramp": [1, 4] })).await;
    let mut out = Vec::new();
    loop {
        match world.advance(&replay).await {
            Progress::Moved => {}
            Progress::Waits => {
                let shown = world.get(&format!("/replays/{replay}")).await;
                out.push(shown["messages"]["published"].as_u64().unwrap());
                world.pump().await;
            }
            Progress::Rests => break,
        }
    }
    assert_eq!(out, [1, 4, 15]);
}

#[tokio::test]
async fn no_more_than_the_rate_is_published() {
    let mut world = World::open().await;
    world.bury(&orders(40)).await;
    let replay = world.replay(json!({ "ramp": [], "ratePerSecond": 8 })).await;
    let begun = world.pass_ms(0);
    let mut published = 0;
    while published < 40 {
        let now_ms = world.pass_ms(50);
        world.ops().replays.advance(&replay, now_ms).await.unwrap();
        world.pump().await;
        let messages = world.get(&format!("/replays/{replay}")).await["messages"].clone();
        published = messages["published"].as_i64().unwrap() + messages["handled"].as_i64().unwrap();
        let allowed = 1 + (now_ms - begun) * 8 / 1_000;
        assert!(published <= allowed, "{published} after {} ms", now_ms - begun);
    }
}

#[tokio::test]
async fn a_replay_stops_itself_when_the_cause_is_still_there_and_goes_on_once_it_is_mended() {
    let mut world = World::open().await;
    world.bury(&orders(50)).await;
    let replay = world.replay(json!({ "ramp": [1, 5, 20] })).await;
    world.mode(Mode::Broken);
    let stopped = world.run(&replay).await;
    assert_eq!(stopped["state"], "stopped");
    assert_eq!(stopped["messages"], json!({ "waiting": 49, "published": 0, "handled": 0, "failed": 1, "skipped": 0 }));
    assert_eq!(stopped["failed"][0]["code"], "illegal_state");
    assert_eq!(stopped["note"], "1 of 1 messages that settled in step 1 failed");
    // What failed is a letter again, with its new death.
    assert_eq!(world.ingest().await, 1);
    assert_eq!(world.states().await, [("open".to_owned(), 1), ("replaying".to_owned(), 49)].into());

    world.mode(Mode::Works);
    let resume = json!({ "by": "grace", "why": "1.4.3 is out" });
    let path = format!("/replays/{replay}/resume");
    assert_eq!(world.post(&path, &resume).await.status, StatusCode::OK);
    let done = world.run(&replay).await;
    assert_eq!((&done["state"], &done["messages"]["handled"]), (&json!("finished"), &json!(50)));
    assert_eq!(world.effects().await, once(&orders(50)));
    assert_eq!(world.states().await, [("handled".to_owned(), 50)].into());
    let trail = world.get(&format!("/audit?replay={replay}")).await;
    let told: Vec<(String, String)> = trail["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["action"].as_str().unwrap().to_owned(), entry["by"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [("replay", "ada"), ("stopped", "ops"), ("resume", "grace"), ("finished", "ops")];
    assert_eq!(told, expected.map(|(action, by)| (action.to_owned(), by.to_owned())));
    assert_eq!(world.post(&path, &resume).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_share_of_failures_is_borne_and_the_failed_are_open_again() {
    let mut world = World::open().await;
    world.bury(&orders(110)).await;
    let replay = world.replay(json!({ "ramp": [], "stopAtFailureShare": 0.2 })).await;
    world.mode(Mode::BrokenFor7);
    let done = world.run(&replay).await;
    assert_eq!(
        (&done["state"], &done["messages"]["handled"], &done["messages"]["failed"]),
        (&json!("finished"), &json!(99), &json!(11))
    );
    assert_eq!(world.states().await, [("handled".to_owned(), 99), ("open".to_owned(), 11)].into());
    assert_eq!(world.ingest().await, 11);
    assert_eq!(world.states().await, [("handled".to_owned(), 99), ("open".to_owned(), 11)].into());
}

#[tokio::test]
async fn a_message_that_pub_sub_gives_up_on_has_failed() {
    let mut world = World::open_with(&[("BOUTIQUE_OPS_SETTLE_PATIENCE_MS", "86400000")]).await;
    world.bury(&orders(1)).await;
    let replay = world.replay(json!({})).await;
    world.mode(Mode::Later);
    for _ in 0..10 {
        if world.advance(&replay).await == Progress::Waits {
            break;
        }
    }
    world.pump().await;
    assert_eq!(world.ingest().await, 1);
    let stopped = world.run(&replay).await;
    assert_eq!((&stopped["state"], &stopped["messages"]["failed"]), (&json!("stopped"), &json!(1)));
    assert_eq!(world.states().await, [("open".to_owned(), 1)].into());
}

#[tokio::test]
async fn a_message_that_does_not_settle_stops_the_replay_and_is_not_lost() {
    let mut world = World::open().await;
    world.bury(&orders(3)).await;
    let replay = world.replay(json!({})).await;
    world.stop_consumer().await;
    for _ in 0..3 {
        world.advance(&replay).await;
    }
    // It could not even be asked how often the events have failed: nothing was published.
    let shown = world.get(&format!("/replays/{replay}")).await;
    assert_eq!((&shown["messages"]["waiting"], &shown["state"]), (&json!(3), &json!("running")));
    assert!(shown["note"].as_str().unwrap().contains("unavailable"), "{shown}");
    world.start_consumer().await;
    while world.advance(&replay).await == Progress::Moved {}
    world.stop_consumer().await;
    let path = format!("/replays/{replay}");
    while world.get(&path).await["state"] == "running" {
        world.advance(&replay).await;
    }
    let shown = world.get(&path).await;
    assert_eq!((&shown["messages"]["published"], &shown["state"]), (&json!(1), &json!("stopped")));
    world.start_consumer().await;
    let resume = json!({ "by": "grace", "why": "it is back" });
    assert_eq!(world.post(&format!("/replays/{replay}/resume"), &resume).await.status, StatusCode::OK);
    world.pump().await;
    assert_eq!(world.run(&replay).await["messages"]["handled"], 3);
    assert_eq!(world.effects().await, once(&orders(3)));
}

#[tokio::test]
async fn a_paused_replay_publishes_nothing_and_a_cancelled_one_gives_its_letters_back() {
    let mut world = World::open().await;
    world.bury(&orders(10)).await;
    let replay = world.replay(json!({ "ramp": [2] })).await;
    let signed = json!({ "by": "grace", "why": "lunch" });
    while world.advance(&replay).await == Progress::Moved {}
    assert_eq!(world.post(&format!("/replays/{replay}/pause"), &signed).await.body["state"], "paused");
    world.pump().await;
    let paused = world.run(&replay).await;
    assert_eq!((&paused["messages"]["handled"], &paused["messages"]["waiting"]), (&json!(2), &json!(8)));
    for _ in 0..5 {
        assert_eq!(world.advance(&replay).await, Progress::Rests);
    }
    let cancelled = world.post(&format!("/replays/{replay}/cancel"), &signed).await.body;
    assert_eq!((&cancelled["state"], &cancelled["messages"]["skipped"]), (&json!("cancelled"), &json!(8)));
    assert_eq!(world.states().await, [("handled".to_owned(), 2), ("open".to_owned(), 8)].into());
    let refused = world.post(&format!("/replays/{replay}/resume"), &signed).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    // The rest is planned anew.
    let replay = world.replay(json!({})).await;
    assert_eq!(world.run(&replay).await["messages"]["handled"], 8);
    assert_eq!(world.effects().await, once(&orders(10)));
}

#[tokio::test]
async fn two_replays_never_have_the_same_letter() {
    let mut world = World::open().await;
    world.bury(&orders(5)).await;
    let (one, two) =
        (world.plan(&json!({ "consumer": CONSUMER })).await, world.plan(&json!({ "code": "illegal_state" })).await);
    let order = |plan: &serde_json::Value| json!({ "plan": plan["plan"], "by": "ada", "why": "x" });
    assert_eq!(world.post("/replays", &order(&one)).await.body["messages"]["waiting"], 5);
    let second = world.post("/replays", &order(&two)).await.body;
    assert_eq!((&second["messages"]["waiting"], &second["messages"]["skipped"]), (&json!(0), &json!(5)));
    let replay = second["replayId"].as_str().unwrap().to_owned();
    assert_eq!(world.run(&replay).await["state"], "finished");
}

#[tokio::test]
async fn what_a_replay_is_asked_to_do_has_bounds() {
    let mut world = World::open().await;
    world.bury(&orders(1)).await;
    let plan = world.plan(&json!({ "consumer": CONSUMER })).await;
    for bad in [
        json!({ "ratePerSecond": 0 }),
        json!({ "ratePerSecond": 10_001 }),
        json!({ "ramp": [1, 0] }),
        json!({ "stopAtFailureShare": 1.5 }),
        json!({ "why": "" }),
        json!({ "by": "x".repeat(101) }),
        json!({ "speed": 7 }),
    ] {
        let mut order = json!({ "plan": plan["plan"], "by": "ada", "why": "x" });
        order.as_object_mut().unwrap().extend(bad.as_object().unwrap().clone());
        assert_eq!(world.post("/replays", &order).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}
