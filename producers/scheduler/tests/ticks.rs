//! Minutes are said once, whoever is asked and however often.
#![allow(clippy::unwrap_used)] // What a test builds is right, or the test is to fail.

use std::sync::Arc;

use axum::http::StatusCode;
use bus::Bus;
use events::platform::MinuteElapsed;
use events::pubsub::Message;
use runtime::config::Environment;
use runtime::{Base, Identity, Peer, Publisher, Publishing, Transactor, Upkeep};
use scheduler::{Config, Length, MIGRATIONS, NAME, Ticker};
use serde_json::Value;
use store::{Database, Store};
use tempfile::TempDir;
use testkit::{SimulatedBus, T0, facts_of, post};

/// A scheduler's database and what it said.
struct House {
    folder: TempDir,
    bus: Arc<SimulatedBus>,
}

impl House {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), bus: Arc::default() }
    }

    fn transactor(&self, database: &str) -> Transactor {
        let database = Database::Sqlite { path: self.folder.path().join(database) };
        let store = Store::open(&database, MIGRATIONS).unwrap();
        let bus = Arc::clone(&self.bus) as Arc<dyn Bus>;
        let publisher = Publisher::new(NAME, store.clone(), bus, Publishing::WithinRequest);
        Transactor::new(NAME, store, publisher)
    }

    fn ticker(&self, database: &str) -> Ticker {
        Ticker::new(self.transactor(database), Length::WALL_CLOCK)
    }

    fn said(&self) -> Vec<Message> {
        let to_message = |out: bus::Outgoing| Message { attributes: out.attributes, data: out.data.to_vec() };
        self.bus.taken().into_iter().map(to_message).collect()
    }

    fn minutes(&self) -> Vec<String> {
        facts_of::<MinuteElapsed>(&self.said()).iter().map(|fact| fact.minute.to_string()).collect()
    }
}

#[tokio::test]
async fn a_minute_is_said_once_and_a_clock_set_back_says_nothing() {
    let house = House::new();
    let ticker = house.ticker("one.db");
    for (after_ms, said) in
        [(0, true), (1, false), (59_999, false), (60_000, true), (0, false), (119_999, false), (120_001, true)]
    {
        assert_eq!(ticker.tick(T0 + after_ms).await.unwrap().said, said, "after {after_ms} ms");
    }
    assert_eq!(house.minutes(), ["2025-12-31T23:59:59.999Z", "2026-01-01T00:00:59.999Z", "2026-01-01T00:01:59.999Z"]);
}

/// Consumers tell events apart by source and id: what both say has to be one event, to the last byte.
#[tokio::test]
async fn a_clock_that_was_set_back_is_named_until_it_has_caught_up() {
    let house = House::new();
    let ticker = house.ticker("one.db");
    let hour_ms = 3_600_000;
    let expected = [(hour_ms, None), (hour_ms - 60_000, None), (0, Some(hour_ms)), (2 * hour_ms, None)];
    for (after_ms, behind_ms) in expected {
        assert_eq!(ticker.tick(T0 + after_ms).await.unwrap().clock_behind_ms, behind_ms, "after {after_ms} ms");
    }
}

#[tokio::test]
async fn two_instances_that_know_nothing_of_each_other_say_the_same_event() {
    let house = House::new();
    house.ticker("one.db").tick(T0 + 3).await.unwrap();
    house.ticker("other.db").tick(T0 + 45_000).await.unwrap();
    let said = house.said();
    assert_eq!(said.len(), 2);
    assert_eq!(said[0], said[1]);
    assert_eq!(said[0].attributes["ce-correlationid"], said[0].attributes["ce-id"]);
    assert!(!said[0].attributes.contains_key("ce-causationid"));
    assert_eq!(said[0].attributes["ce-time"], "2026-01-01T00:00:00Z");
}

#[tokio::test]
async fn after_a_pause_the_latest_minute_is_said_and_none_is_made_up_for() {
    let house = House::new();
    house.ticker("one.db").tick(T0).await.unwrap();
    let restarted = house.ticker("one.db");
    assert!(!restarted.tick(T0 + 1).await.unwrap().said, "a restart within the minute");
    assert!(restarted.tick(T0 + 3_600_000).await.unwrap().said);
    assert_eq!(house.minutes(), ["2025-12-31T23:59:59.999Z", "2026-01-01T00:59:59.999Z"]);
}

#[tokio::test]
async fn a_call_says_the_minute_once_and_sends_what_an_earlier_one_could_not() {
    let house = House::new();
    let transactor = house.transactor("one.db");
    let ticker = Ticker::new(transactor.clone(), Length::WALL_CLOCK);
    let router = scheduler::doors(ticker.clone(), Upkeep::new(transactor, Vec::new())).open_house();
    house.bus.refuse(true);
    ticker.tick(T0).await.unwrap();
    assert_eq!(house.said(), []);
    house.bus.refuse(false);

    let first = post(&router, "/tick", &Value::Null).await;
    let again = post(&router, "/tick", &Value::Null).await;

    assert_eq!((first.status, &first.body["said"]), (StatusCode::OK, &Value::Bool(true)));
    // The call before may have been in another minute; but no third is possible within this test.
    assert!(again.body["said"] == false || again.body["minute"] != first.body["minute"], "{again:?}");
    assert_eq!(house.minutes().iter().filter(|minute| *minute == "2025-12-31T23:59:59.999Z").count(), 1);
}

#[tokio::test]
async fn it_ticks_by_itself_unless_told_not_to() {
    let house = House::new();
    let database = Database::Sqlite { path: house.folder.path().join("own.db") };
    let base = Base {
        listen: "127.0.0.1:0".parse().unwrap(),
        database,
        bus: Arc::clone(&house.bus) as _,
        identity: Identity::open_house(),
    };
    let config = |self_tick: &str| {
        let settings = [("BOUTIQUE_MINUTE_MS", "50"), ("BOUTIQUE_SELF_TICK", self_tick)];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Config::from_environment(&Environment::of(settings)).unwrap()
    };
    let running = scheduler::service(&base, config("true")).unwrap().start(base.listen).await.unwrap();
    while house.minutes().len() < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    running.stop().await;
    let minutes = house.minutes();
    assert!(minutes.is_sorted(), "{minutes:?}");

    let running = scheduler::service(&base, config("false")).unwrap().start(base.listen).await.unwrap();
    let peer = Peer::new(NAME, &format!("http://{}", running.address()), std::time::Duration::from_secs(5));
    let before = house.minutes().len();
    // The minute the service was stopped in was said before.
    while peer.post::<_, Value>("/tick", &Value::Null).await.unwrap()["said"] == false {}
    running.stop().await;
    assert_eq!(house.minutes().len(), before + 1);
}

/// Runs where `BOUTIQUE_TEST_POSTGRES` names a server.
#[tokio::test]
async fn two_instances_on_one_postgresql_say_a_minute_once() {
    let Ok(url) = std::env::var("BOUTIQUE_TEST_POSTGRES") else {
        assert_ne!(std::env::var("BOUTIQUE_REQUIRE_POSTGRES").as_deref(), Ok("1"), "BOUTIQUE_TEST_POSTGRES is not set");
        return;
    };
    let schema = format!("scheduler_{}", runtime::clock::new_id().simple());
    let bus: Arc<SimulatedBus> = Arc::default();
    let instance = || {
        let database = Database::Postgres { url: url.clone(), schema: schema.clone() };
        let store = Store::open(&database, MIGRATIONS).unwrap();
        let publisher = Publisher::new(NAME, store.clone(), Arc::clone(&bus) as _, Publishing::WithinRequest);
        Ticker::new(Transactor::new(NAME, store, publisher), Length::WALL_CLOCK)
    };
    let (one, other) = (instance(), instance());
    for after_ms in [0, 60_000, 120_000] {
        let (first, second) = tokio::join!(one.tick(T0 + after_ms), other.tick(T0 + after_ms));
        assert_ne!(first.unwrap().said, second.unwrap().said, "one of them");
    }
    assert!(!one.tick(T0).await.unwrap().said);
    assert_eq!(bus.taken().len(), 3);
}
