//! Letters come in once, whoever put them there, and are shown without what is personal.

use axum::http::StatusCode;
use bus::{Bus, Outgoing};
use events::pubsub::Message;
use serde_json::{Value, json};

use crate::world::{CONSUMER, Mode, World, orders, said};

#[tokio::test]
async fn letters_are_grouped_by_cause_and_listed_by_filter() {
    let mut world = World::open().await;
    world.bury(&orders(12)).await;
    let groups = world.get("/groups?state=open").await;
    let group = &groups["groups"][0];
    assert_eq!(groups["groups"].as_array().unwrap().len(), 1, "one cause is one group: {groups}");
    assert_eq!(
        (&group["count"], &group["code"], &group["consumer"]),
        (&json!(12), &json!("illegal_state"), &json!(CONSUMER))
    );
    assert_eq!(group["types"], json!(["com.onlineboutique.order.cancelled.v1"]));

    for (query, count) in [
        ("order=O-3", 1),
        ("consumer=accounting&code=illegal_state", 12),
        ("type=order.cancelled.v1&limit=500", 12),
        ("type=order.confirmed.v1", 0),
        ("state=handled", 0),
        ("from=2099-01-01T00:00:00Z", 0),
        ("to=2020-01-01T00:00:00Z", 0),
    ] {
        let listed = world.get(&format!("/letters?{query}")).await;
        assert_eq!(listed["letters"].as_array().unwrap().len(), count, "{query}");
    }
    let first = world.get("/letters?limit=8").await;
    let rest = world.get(&format!("/letters?limit=8&after={}", first["next"].as_str().unwrap())).await;
    assert_eq!((rest["letters"].as_array().unwrap().len(), &rest["next"]), (4, &Value::Null));
    for query in ["state=lost", "consumer=nobody", "from=yesterday", "limit=0"] {
        let refused = testkit::get(&world.ops().doors.clone().open_house(), &format!("/letters?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn the_same_death_is_counted_once_and_another_death_opens_the_same_letter_again() {
    let mut world = World::open().await;
    world.bury(&orders(1)).await;
    // The consumer was killed between publish and mark: its outbox says the same letter again.
    let letter = world.letters().await.remove(0);
    let mut attributes = Message::from(said("O-1")).attributes;
    let death = world.get(&format!("/letters/{}", letter["letterId"].as_str().unwrap())).await["deaths"][0].clone();
    let died_at = runtime::clock::from_ms(death["diedAtMs"].as_i64().unwrap()).to_string();
    for (name, value) in [
        ("dlconsumer", CONSUMER),
        ("dlcode", "illegal_state"),
        ("dlreason", "no"),
        ("dlfingerprint", "f"),
        ("dlattempts", "1"),
        ("dltime", &died_at),
    ] {
        attributes.insert(name.to_owned(), value.to_owned());
    }
    let again = Outgoing {
        topic: format!("{CONSUMER}.dead-letters"),
        ordering_key: String::new(),
        attributes,
        data: Message::from(said("O-1")).data.into(),
    };
    world.door.publish(vec![again]).await.remove(0).unwrap();
    assert_eq!(world.ingest().await, 1);
    let letter = world.letters().await.remove(0);
    assert_eq!((&letter["deaths"], &letter["reason"]), (&json!(1), &json!("order O-1 is in no state")));

    world.bury(&orders(1)).await;
    let letters = world.letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!((&letters[0]["deaths"], &letters[0]["attempts"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn a_letter_is_acked_only_once_it_is_kept() {
    let mut world = World::open().await;
    world.mode(Mode::Broken);
    world.say(&orders(3)).await;
    world.pump().await;
    // The database is gone: nothing is kept and nothing is acked.
    world.ops().store.clone().close().await;
    assert_eq!(world.ops().ingest.take(CONSUMER, 1).await, 0);
    world.restart();
    world.pubsub.lock().unwrap().advance(60_000, |_| None);
    assert_eq!(world.ingest().await, 3);
    assert_eq!(world.letters().await.len(), 3);
}

#[tokio::test]
async fn a_letter_of_pub_subs_own_policy_gets_the_last_reason_the_consumer_kept() {
    let mut world = World::open().await;
    world.mode(Mode::Later);
    world.say(&orders(1)).await;
    world.pump().await;
    assert_eq!(world.ingest().await, 1);
    let letter = world.letters().await.remove(0);
    assert_eq!((&letter["code"], &letter["attempts"]), (&json!("changed_meanwhile"), &json!(20)));
    assert_eq!((&letter["reason"], &letter["topic"]), (&json!("come again"), &json!("order-events")));
    let shown = world.get(&format!("/letters/{}", letter["letterId"].as_str().unwrap())).await;
    assert_eq!(shown["deaths"][0]["kind"], "pubsub");
    assert_eq!(shown["attempts"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn a_consumer_that_was_down_leaves_letters_without_a_reason() {
    let mut world = World::open().await;
    world.stop_consumer().await;
    world.say(&orders(1)).await;
    let down = |_: &testkit::pubsub::Push| Some(503);
    world.pubsub.lock().unwrap().advance(86_400_000, down);
    assert_eq!(world.ingest().await, 1);
    assert_eq!(world.letters().await[0]["code"], "attempts_exhausted");
}

#[tokio::test]
async fn one_letter_is_shown_whole_but_for_what_is_personal() {
    let mut world = World::open().await;
    let mut message = Message::from(said("O-1"));
    message.data = br#"{"orderId":"O-1","reason":"Ada","email":"ada@example.org","customerName":"Ada"}"#.to_vec();
    message.attributes.insert("customer".to_owned(), "Ada".to_owned());
    message.attributes.insert("ce-contact".to_owned(), "ada@example.org".to_owned());
    let poison = Outgoing {
        topic: "order-events".to_owned(),
        ordering_key: String::new(),
        attributes: message.attributes,
        data: message.data.into(),
    };
    world.door.publish(vec![poison]).await.remove(0).unwrap();
    world.pump().await;
    world.ingest().await;
    let id = world.letters().await[0]["letterId"].as_str().unwrap().to_owned();
    let shown = world.get(&format!("/letters/{id}")).await;
    assert_eq!(shown["letter"]["code"], "bad_payload");
    assert_eq!(shown["payload"]["orderId"], "O-1");
    assert_eq!(shown["attributes"]["ce-source"], "//onlineboutique.com/oms");
    assert_eq!(shown["attempts"][0]["number"], 1);
    let told = shown.to_string();
    for secret in ["ada@example.org", "Ada"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    let services: Vec<&str> = shown["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|part| !part["story"].is_null())
        .map(|part| part["service"].as_str().unwrap())
        .collect();
    assert_eq!(services, [CONSUMER], "the others are out of reach, which is said and not hidden");
    assert_eq!(
        testkit::get(&world.ops().doors.clone().open_house(), "/letters/none").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_reasons_of_attempts_are_masked_too() {
    let mut world = World::open().await;
    world.mode(Mode::Chatty);
    world.say(&orders(1)).await;
    world.pump().await;
    world.ingest().await;
    let id = world.letters().await[0]["letterId"].as_str().unwrap().to_owned();
    let shown = world.get(&format!("/letters/{id}")).await;
    assert_eq!(shown["attempts"][0]["code"], "illegal_state");
    assert!(!shown.to_string().contains("ada@example.org"), "{shown}");
}

#[tokio::test]
async fn an_archive_by_name_writes_its_filter_down_once() {
    let mut world = World::open().await;
    world.bury(&orders(20)).await;
    let named: Vec<Value> = world.letters().await.iter().map(|letter| letter["letterId"].clone()).collect();
    let archive = json!({ "filter": { "letters": named }, "by": "ada", "why": "said again by OMS" });
    assert_eq!(world.post("/letters/archive", &archive).await.body, json!({ "archived": 20 }));
    let trail = world.get("/audit?limit=500").await;
    let entries = trail["entries"].as_array().unwrap();
    let with_filter: Vec<&Value> = entries.iter().filter(|entry| entry["what"]["filter"].is_object()).collect();
    assert_eq!(with_filter.len(), 1, "{trail}");
    assert_eq!((&with_filter[0]["what"]["archived"], &with_filter[0]["why"]), (&json!(20), &archive["why"]));
    let of_one = world.get(&format!("/audit?letter={}", archive["filter"]["letters"][7].as_str().unwrap())).await;
    assert_eq!(of_one["entries"][0]["action"], "archive", "each letter's own trail still says so");
}

#[tokio::test]
async fn archived_letters_are_put_away_with_a_reason_and_stay_away() {
    let mut world = World::open().await;
    world.bury(&orders(3)).await;
    for bad in [
        json!({ "filter": {}, "by": "ada", "why": "x" }),
        json!({ "filter": { "order": "O-1" }, "by": "ada", "why": " " }),
        json!({ "filter": { "order": "O-1" }, "why": "x" }),
        json!({ "filter": { "ordr": "O-1" }, "by": "ada", "why": "x" }),
    ] {
        assert_eq!(world.post("/letters/archive", &bad).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
    let archive = json!({ "filter": { "order": "O-1" }, "by": "ada", "why": "said again by OMS" });
    assert_eq!(world.post("/letters/archive", &archive).await.body, json!({ "archived": 1 }));
    assert_eq!(world.post("/letters/archive", &archive).await.body, json!({ "archived": 0 }));
    assert_eq!(world.states().await, [("archived".to_owned(), 1), ("open".to_owned(), 2)].into());
    assert_eq!(world.plan(&json!({ "consumer": CONSUMER })).await["letters"], 2);
    let trail = world.get("/audit").await;
    let entry = &trail["entries"][0];
    assert_eq!(
        (&entry["action"], &entry["by"], &entry["why"]),
        (&json!("archive"), &json!("ada"), &json!("said again by OMS"))
    );
}

#[tokio::test]
async fn closed_letters_and_unused_plans_are_forgotten_in_time_and_the_trail_is_not() {
    const DAY_MS: i64 = 86_400_000;
    let mut world = World::open().await;
    world.bury(&orders(3)).await;
    let archive = json!({ "filter": { "order": "O-1" }, "by": "ada", "why": "a test order" });
    world.post("/letters/archive", &archive).await;
    let plan = world.plan(&json!({ "consumer": CONSUMER })).await;
    let path = format!("/plans/{}", plan["plan"].as_str().unwrap());
    let order = json!({ "plan": world.plan(&json!({ "order": "O-2" })).await["plan"], "by": "ada", "why": "x" });
    let replay = world.post("/replays", &order).await.body["replayId"].as_str().unwrap().to_owned();
    assert_eq!(world.run(&replay).await["messages"]["handled"], 1);
    let now_ms = runtime::clock::now_ms();

    world.ops().purge.run(now_ms + DAY_MS).await;
    assert_eq!(world.get(&path).await["letters"], 2, "its hour has not been over for a day");
    world.ops().purge.run(now_ms + 2 * DAY_MS).await;
    assert_eq!(testkit::get(&world.ops().doors.clone().open_house(), &path).await.status, StatusCode::NOT_FOUND);
    world.ops().purge.run(now_ms + 34 * DAY_MS).await;
    assert_eq!(world.letters().await.len(), 3);
    let used = format!("/plans/{}", order["plan"].as_str().unwrap());
    assert_eq!(world.get(&used).await["items"].as_array().unwrap().len(), 1);

    world.ops().purge.run(now_ms + 36 * DAY_MS).await;
    assert_eq!(world.states().await, [("open".to_owned(), 1)].into());
    assert_eq!(world.get(&used).await["items"], json!([]));
    let left = world.ops().store.read::<_, store::StoreError>(|tx| {
        let count = "SELECT (SELECT COUNT(*) FROM deaths) + (SELECT COUNT(*) FROM replay_items)";
        tx.query(count, &[], |row| row.get_i64(0))
    });
    assert_eq!(left.await.unwrap(), [1], "the death of the letter that is open");
    let trail = world.get("/audit").await;
    let actions: Vec<&str> =
        trail["entries"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["archive", "archive", "plan", "plan", "replay", "finished"]);
}
