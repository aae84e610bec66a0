//! Messages that never settle, letters that are taken away, consumers that are gone: a replay always comes to an end, and so do letters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use bus::{Bus, Outgoing, Published};
use futures::FutureExt;
use futures::future::BoxFuture;
use ops::Progress;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::world::{CONSUMER, Mode, World, once, orders};

/// Days in milliseconds for which no consumer remembers what it handled.
const LONG_AGO_MS: i64 = 22 * 86_400_000;

/// Takes messages and, while told to, delivers none of them.
struct Swallowing {
    inner: Arc<dyn Bus>,
    swallows: AtomicBool,
}

impl Bus for Swallowing {
    fn publish(&self, batch: Vec<Outgoing>) -> BoxFuture<'_, Vec<Published>> {
        if self.swallows.load(Ordering::SeqCst) {
            return std::future::ready(batch.iter().map(|_| Ok(())).collect()).boxed();
        }
        self.inner.publish(batch)
    }
}

/// Says when a publish has begun, and ends it when it may.
struct Gated {
    inner: Arc<dyn Bus>,
    begun: Semaphore,
    may_end: Semaphore,
}

impl Bus for Gated {
    fn publish(&self, batch: Vec<Outgoing>) -> BoxFuture<'_, Vec<Published>> {
        async move {
            self.begun.add_permits(1);
            self.may_end.acquire().await.expect("the gate is never closed").forget();
            self.inner.publish(batch).await
        }
        .boxed()
    }
}

fn signed(why: &str) -> Value {
    json!({ "by": "grace", "why": why })
}

/// Three letters of which the first was published and is never heard of again, in a replay that has stopped itself.
async fn stopped() -> (World, Arc<Swallowing>, String) {
    let mut world = World::open().await;
    world.bury(&orders(3)).await;
    let bus = Arc::new(Swallowing { inner: Arc::clone(&world.door) as _, swallows: AtomicBool::new(true) });
    world.bus = Arc::clone(&bus) as _;
    world.restart();
    let replay = world.replay(json!({})).await;
    let shown = world.until(&replay, "stopped").await;
    assert_eq!(shown["messages"]["published"], 1, "{shown}");
    (world, bus, replay)
}

#[tokio::test]
async fn a_message_that_never_settles_is_published_again_by_a_resume() {
    let (mut world, bus, replay) = stopped().await;
    bus.swallows.store(false, Ordering::SeqCst);
    let resumed = world.post(&format!("/replays/{replay}/resume"), &signed("it is back")).await;
    assert_eq!((resumed.status, &resumed.body["messages"]["waiting"]), (StatusCode::OK, &json!(3)));
    let done = world.run(&replay).await;
    assert_eq!((&done["state"], &done["messages"]["handled"]), (&json!("finished"), &json!(3)));
    assert_eq!(world.effects().await, once(&orders(3)));
}

#[tokio::test]
async fn a_message_that_never_settles_is_given_back_by_a_cancel() {
    let (mut world, _bus, replay) = stopped().await;
    let cancelled = world.post(&format!("/replays/{replay}/cancel"), &signed("planned anew")).await.body;
    assert_eq!((&cancelled["messages"]["published"], &cancelled["messages"]["skipped"]), (&json!(0), &json!(3)));
    assert_eq!(cancelled["skipped"][0]["reason"], "it never settled");
    assert_eq!(world.states().await, [("open".to_owned(), 3)].into());
    assert_eq!(world.advance(&replay).await, Progress::Rests);
}

#[tokio::test]
async fn a_cancel_in_the_middle_of_a_publish_still_follows_what_is_out() {
    let mut world = World::open().await;
    world.bury(&orders(3)).await;
    let bus =
        Arc::new(Gated { inner: Arc::clone(&world.door) as _, begun: Semaphore::new(0), may_end: Semaphore::new(0) });
    world.bus = Arc::clone(&bus) as _;
    world.restart();
    let replay = world.replay(json!({})).await;
    let (replays, id, now_ms) = (world.ops().replays.clone(), replay.clone(), world.pass_ms(1_000));
    let publishing = tokio::spawn(async move {
        // The first step opens the ramp, the second publishes.
        replays.advance(&id, now_ms).await.unwrap();
        replays.advance(&id, now_ms + 1_000).await.unwrap()
    });
    bus.begun.acquire().await.unwrap().forget();
    world.post(&format!("/replays/{replay}/cancel"), &signed("planned anew")).await;
    bus.may_end.add_permits(1);
    assert_eq!(publishing.await.unwrap(), Progress::Moved);
    let shown = world.get(&format!("/replays/{replay}")).await;
    assert_eq!(
        (&shown["state"], &shown["messages"]["published"], &shown["messages"]["skipped"]),
        (&json!("cancelled"), &json!(1), &json!(2))
    );
    assert_eq!(world.states().await, [("open".to_owned(), 2), ("replaying".to_owned(), 1)].into());
    world.pass_ms(1_000);
    world.pump().await;
    assert_eq!(world.run(&replay).await["messages"]["handled"], 1);
    assert_eq!(world.states().await, [("handled".to_owned(), 1), ("open".to_owned(), 2)].into());
}

#[tokio::test]
async fn a_letter_that_was_taken_from_a_replay_is_not_published_and_holds_nobody_up() {
    let mut world = World::open().await;
    world.bury(&orders(2)).await;
    let replay = world.replay(json!({})).await;
    // The event itself comes once more and dies, which opens its letter; somebody puts that away.
    world.mode(Mode::Broken);
    world.say(&["O-1".to_owned()]).await;
    world.pump().await;
    world.ingest().await;
    let archive = json!({ "filter": { "order": "O-1" }, "by": "grace", "why": "said again by OMS" });
    assert_eq!(world.post("/letters/archive", &archive).await.body, json!({ "archived": 1 }));
    world.mode(Mode::Works);
    let done = world.run(&replay).await;
    assert_eq!(
        (&done["state"], &done["messages"]["handled"], &done["messages"]["skipped"]),
        (&json!("finished"), &json!(1), &json!(1)),
        "{done}"
    );
    assert_eq!(done["skipped"][0]["reason"], "the letter is archived");
    assert_eq!(world.effects().await, once(&["O-2".to_owned()]));
}

#[tokio::test]
async fn what_has_grown_older_than_the_inbox_remembers_is_not_published() {
    let mut world = World::open().await;
    world.bury(&orders(2)).await;
    let replay = world.replay(json!({})).await;
    world.pass_ms(LONG_AGO_MS);
    let done = world.run(&replay).await;
    assert_eq!((&done["state"], &done["messages"]["skipped"]), (&json!("finished"), &json!(2)), "{done}");
    assert!(world.effects().await.is_empty());
    assert_eq!(world.states().await, [("open".to_owned(), 2)].into());
}

#[tokio::test]
async fn a_replay_whose_consumer_is_down_stops_itself_even_with_nothing_out() {
    let mut world = World::open().await;
    world.bury(&orders(2)).await;
    let replay = world.replay(json!({})).await;
    world.stop_consumer().await;
    let shown = world.until(&replay, "stopped").await;
    assert_eq!(shown["messages"]["waiting"], 2);
    assert_eq!(shown["note"], format!("{CONSUMER} cannot be asked"));
    world.start_consumer().await;
    assert_eq!(world.post(&format!("/replays/{replay}/resume"), &signed("it is back")).await.status, StatusCode::OK);
    assert_eq!(world.run(&replay).await["messages"]["handled"], 2);
}

/// A consumer that knows nothing of any event, and takes its time to say so.
async fn slow_consumer(asked: &Arc<Semaphore>, may_answer: &Arc<Semaphore>) -> String {
    let (asked, may_answer) = (Arc::clone(asked), Arc::clone(may_answer));
    let all = |body: &Value, one: Value| json!({ "outcomes": vec![one; body["events"].as_array().unwrap().len()] });
    let dry_run =
        move |Json(body): Json<Value>| async move { Json(all(&body, json!({ "outcome": "applied", "says": [] }))) };
    let outcomes = move |Json(body): Json<Value>| async move {
        asked.add_permits(1);
        may_answer.acquire().await.unwrap().forget();
        Json(all(&body, json!({ "outcome": "unknown" })))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/dry-run", post(dry_run)).route("/outcomes", post(outcomes));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn what_was_cancelled_while_the_consumer_was_asked_is_not_published() {
    let (asked, may_answer) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let url = slow_consumer(&asked, &may_answer).await;
    let mut world = World::open_with(&[("BOUTIQUE_ACCOUNTING_URL", &url)]).await;
    world.bury(&orders(2)).await;
    let replay = world.replay(json!({})).await;
    let (replays, id, now_ms) = (world.ops().replays.clone(), replay.clone(), world.pass_ms(1_000));
    let publishing = tokio::spawn(async move {
        replays.advance(&id, now_ms).await.unwrap();
        replays.advance(&id, now_ms + 1_000).await.unwrap()
    });
    asked.acquire().await.unwrap().forget();
    world.post(&format!("/replays/{replay}/cancel"), &signed("planned anew")).await;
    may_answer.add_permits(1);
    publishing.await.unwrap();
    let shown = world.get(&format!("/replays/{replay}")).await;
    assert_eq!((&shown["messages"]["published"], &shown["messages"]["skipped"]), (&json!(0), &json!(2)));
    world.pump().await;
    assert!(world.effects().await.is_empty());
    assert_eq!(world.states().await, [("open".to_owned(), 2)].into());
}
