//! A patched copy: two people, one effect.

use axum::http::StatusCode;
use bus::{Bus, Outgoing};
use events::pubsub::Message;
use serde_json::{Value, json};

use crate::world::{CONSUMER, Mode, World, orders, said};

/// A letter whose payload no consumer can read.
async fn poisoned(world: &mut World) -> String {
    let message = Message::from(said("O-1"));
    let poison = Outgoing {
        topic: "order-events".to_owned(),
        ordering_key: String::new(),
        attributes: message.attributes,
        data: br#"{"orderId":"O-1","reason":"whim"}"#.to_vec().into(),
    };
    world.door.publish(vec![poison]).await.remove(0).unwrap();
    world.pump().await;
    world.ingest().await;
    world.letters().await[0]["letterId"].as_str().unwrap().to_owned()
}

fn mend() -> Value {
    json!({ "patch": { "reason": "by_customer" }, "by": "ada", "why": "the form sent free text" })
}

#[tokio::test]
async fn an_edit_takes_two_people_and_has_one_effect() {
    let mut world = World::open().await;
    let letter = poisoned(&mut world).await;
    assert_eq!(world.plan(&json!({ "consumer": CONSUMER })).await["predictions"], json!({ "schema": 1 }));

    let edit = world.post(&format!("/letters/{letter}/edits"), &mend()).await;
    assert_eq!((edit.status, &edit.body["state"]), (StatusCode::CREATED, &json!("proposed")));
    assert_eq!(edit.body["changes"], json!(["replace /reason"]));
    let id = edit.body["editId"].as_str().unwrap().to_owned();
    assert_eq!(world.plan(&json!({ "consumer": CONSUMER })).await["predictions"], json!({ "unapproved": 1 }));

    let approve = |by: &str| json!({ "by": by, "why": "it agrees with the order" });
    let path = format!("/edits/{id}/approve");
    assert_eq!(world.post(&path, &approve("Ada")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.post(&path, &approve("grace")).await.body["state"], "approved");
    assert_eq!(world.post(&path, &approve("grace")).await.status, StatusCode::CONFLICT);

    assert_eq!(world.plan(&json!({ "consumer": CONSUMER })).await["predictions"], json!({ "applied": 1 }));
    let replay = world.replay(json!({})).await;
    assert_eq!(world.run(&replay).await["messages"]["handled"], 1);
    // The original has the id of the copy: it cannot take effect as well.
    world.say(&orders(1)).await;
    world.pump().await;
    assert_eq!(world.effects().await, [("O-1".to_owned(), 1)].into());
    let actions: Vec<String> = world.get(&format!("/audit?letter={letter}")).await["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}", entry["action"].as_str().unwrap(), entry["by"].as_str().unwrap()))
        .collect();
    assert_eq!(actions, ["edit ada", "approve grace"]);
    let late = world.post(&format!("/letters/{letter}/edits"), &mend()).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "a handled letter is not changed any more");
}

#[tokio::test]
async fn a_later_edit_replaces_an_earlier_one_and_needs_approval_of_its_own() {
    let mut world = World::open().await;
    let letter = poisoned(&mut world).await;
    let path = format!("/letters/{letter}/edits");
    let first = world.post(&path, &mend()).await.body["editId"].as_str().unwrap().to_owned();
    let approval = json!({ "by": "grace", "why": "fine" });
    world.post(&format!("/edits/{first}/approve"), &approval).await;
    let mut second = mend();
    second["patch"] = json!({ "reason": "fraud_confirmed" });
    let second = world.post(&path, &second).await.body["editId"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!(world.plan(&json!({ "consumer": CONSUMER })).await["predictions"], json!({ "unapproved": 1 }));
    assert_eq!(world.post(&format!("/edits/{first}/approve"), &approval).await.status, StatusCode::CONFLICT);
    assert_eq!(world.post(&format!("/edits/{second}/approve"), &approval).await.status, StatusCode::OK);
    let shown = world.get(&format!("/letters/{letter}")).await;
    let states: Vec<&Value> = shown["edits"].as_array().unwrap().iter().map(|edit| &edit["state"]).collect();
    assert_eq!(states.len(), 2);
    assert!(states.contains(&&json!("replaced")) && states.contains(&&json!("approved")));
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_none() {
    let mut world = World::open().await;
    let letter = poisoned(&mut world).await;
    let mut nothing = mend();
    nothing["patch"] = json!({ "reason": "whim" });
    let path = format!("/letters/{letter}/edits");
    assert_eq!(world.post(&path, &nothing).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.post("/letters/none/edits", &mend()).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        world.post("/edits/none/approve", &json!({ "by": "x", "why": "y" })).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_name_written_in_another_way_is_the_same_person() {
    let mut world = World::open().await;
    let letter = poisoned(&mut world).await;
    let mut by_zoe = mend();
    by_zoe["by"] = json!("Zo\u{eb}  \u{c4}ngstr\u{f6}m");
    let edit = world.post(&format!("/letters/{letter}/edits"), &by_zoe).await.body["editId"].clone();
    let path = format!("/edits/{}/approve", edit.as_str().unwrap());
    for alias in [
        "Zo\u{eb} \u{c4}ngstr\u{f6}m",
        "ZO\u{cb} \u{e4}NGSTR\u{d6}M",
        "\u{200b}Zo\u{eb} \u{c4}ng\u{200d}str\u{f6}m\u{feff}",
        "Zo\u{eb}\u{a0}\u{2003}\u{c4}ngstr\u{f6}m",
        "Zo\u{ad}\u{eb} \u{202e}\u{c4}ngstr\u{f6}m",
    ] {
        let answer = world.post(&path, &json!({ "by": alias, "why": "fine" })).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{alias:?}");
    }
    for no_line in ["\u{200b}\u{feff}", "Zo\u{eb}\u{7}\u{c4}ngstr\u{f6}m", "Grace\u{7f}", "Grace\nHopper"] {
        let answer = world.post(&path, &json!({ "by": no_line, "why": "fine" })).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{no_line:?} is no line with something to see");
    }
    let other = world.post(&path, &json!({ "by": "Grace", "why": "fine" })).await;
    assert_eq!(other.status, StatusCode::OK);
}

/// A replay stops, its failed letter is mended meanwhile, and it goes on: with the mended payload, or without the letter.
async fn resumed_after_an_edit(is_approved: bool) -> (World, Value) {
    let mut world = World::open().await;
    world.bury(&orders(1)).await;
    let replay = world.replay(json!({})).await;
    world.mode(Mode::Broken);
    world.run(&replay).await;
    world.ingest().await;
    let letter = world.letters().await[0]["letterId"].as_str().unwrap().to_owned();
    let mut edit = mend();
    edit["patch"] = json!({ "reason": "fraud_confirmed" });
    let edit = world.post(&format!("/letters/{letter}/edits"), &edit).await.body["editId"].clone();
    if is_approved {
        let approval = json!({ "by": "grace", "why": "fine" });
        let answer = world.post(&format!("/edits/{}/approve", edit.as_str().unwrap()), &approval).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    world.mode(Mode::Works);
    let resume = json!({ "by": "grace", "why": "mended" });
    assert_eq!(world.post(&format!("/replays/{replay}/resume"), &resume).await.status, StatusCode::OK);
    let done = world.run(&replay).await;
    (world, done)
}

#[tokio::test]
async fn a_resumed_replay_publishes_what_was_approved_meanwhile() {
    let (world, done) = resumed_after_an_edit(true).await;
    assert_eq!(done["messages"]["handled"], 1);
    assert_eq!(world.reasons().await, [("O-1".to_owned(), "fraud confirmed".to_owned())].into());
}

#[tokio::test]
async fn a_resumed_replay_leaves_a_letter_alone_whose_edit_nobody_approved() {
    let (world, done) = resumed_after_an_edit(false).await;
    assert_eq!((&done["messages"]["failed"], &done["state"]), (&json!(1), &json!("finished")));
    assert_eq!(done["failed"][0]["reason"], "the letter was edited: plan anew");
    assert!(world.effects().await.is_empty());
    assert_eq!(world.states().await, [("open".to_owned(), 1)].into());
}

#[tokio::test]
async fn a_withdrawn_edit_leaves_the_letter_as_it_came() {
    let mut world = World::open().await;
    world.bury(&orders(1)).await;
    let letter = world.letters().await[0]["letterId"].as_str().unwrap().to_owned();
    let path = format!("/letters/{letter}/edits");
    let signed = json!({ "by": "ada", "why": "the letter was right" });
    let nothing = world.post(&format!("{path}/withdraw"), &signed).await;
    assert_eq!((nothing.status, &nothing.body["code"]), (StatusCode::CONFLICT, &json!("no_edit")));
    let mut edit = mend();
    edit["patch"] = json!({ "reason": "fraud_confirmed" });
    let edit = world.post(&path, &edit).await.body["editId"].as_str().unwrap().to_owned();
    assert_eq!(world.plan(&json!({ "consumer": CONSUMER })).await["predictions"], json!({ "unapproved": 1 }));

    let withdrawn = world.post(&format!("{path}/withdraw"), &signed).await;
    assert_eq!((withdrawn.status, &withdrawn.body["editId"]), (StatusCode::OK, &json!(edit)));
    let late = world.post(&format!("/edits/{edit}/approve"), &json!({ "by": "grace", "why": "fine" })).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    let replay = world.replay(json!({})).await;
    assert_eq!(world.post(&format!("{path}/withdraw"), &signed).await.status, StatusCode::CONFLICT);
    assert_eq!(world.run(&replay).await["messages"]["handled"], 1);
    assert_eq!(world.reasons().await["O-1"], "cancelled by the customer");
    let newest = world.get(&format!("/audit?letter={letter}&newest=true&limit=1")).await;
    assert_eq!((&newest["entries"][0]["action"], &newest["entries"][0]["by"]), (&json!("withdraw"), &json!("ada")));
    let before = world.get(&format!("/audit?letter={letter}&newest=true&limit=1&after={}", newest["next"])).await;
    assert_eq!(before["entries"][0]["action"], "edit");
}

#[tokio::test]
async fn an_edit_that_would_name_a_customer_in_the_clear_is_refused_and_kept_nowhere() {
    const SEALED: &str = "S.00112233445566778899aabbccddeeff";
    let mut world = World::open().await;
    let sealed = world.give_up("O-1", &json!({ "orderId": "O-1", "customerId": SEALED, "risk": "LOW" })).await;
    let clear = world.give_up("O-2", &json!({ "orderId": "O-2", "customerId": "ada-1", "risk": "LOW" })).await;
    let edit = |patch: Value| json!({ "patch": patch, "by": "ada", "why": "the form sent it so" });
    for letter in [&sealed, &clear] {
        let path = format!("/letters/{letter}/edits");
        let refused = world.post(&path, &edit(json!({ "customerId": "grace-2" }))).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["code"]),
            (422, &json!("personal_data")),
            "{}",
            refused.body
        );
        assert_eq!(refused.body["errors"][0]["path"], "customerId");
        assert!(!refused.body.to_string().contains("grace-2"), "{}", refused.body);
    }
    // What was clear before is not the edit's fault, and may be sealed.
    for patch in [json!({ "risk": "HIGH" }), json!({ "customerId": SEALED })] {
        let kept = world.post(&format!("/letters/{clear}/edits"), &edit(patch)).await;
        assert_eq!(kept.status, StatusCode::CREATED, "{}", kept.body);
    }
}
