//! What is left of a customer who was erased: nothing anybody can read, on disk either.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

mod support;

use axum::Router;
use axum::http::StatusCode;
use crm::{Config, MIGRATIONS, MasterKey, consumer, preparation};
use events::order::OrderCompleted;
use events::{Money, Timestamp};
use runtime::Outcome;
use serde_json::{Value, json};
use store::{Database, Store, StoreError};
use support::{KEY, config, scenario, sealed_id};
use testkit::{Scenario, T0, delete, event, get, post};

const OTHER_KEY: &str = "HxwdHh8QERITFBUWFxgZGhsAAQIDBAUGBwgJCgsMDQ4=";

fn doors(crm: &Scenario) -> Router {
    crm::doors(crm.transactor(), config()).open_house()
}

/// Enough customers for pages of the file to have been split.
async fn filled(doors: &Router) {
    for hundred in 0..10 {
        let many: Vec<Value> = (0..100)
            .map(|n| json!({ "customerId": format!("Zq-{hundred}{n:02}"), "name": "Zebulon", "surname": "Quixwood" }))
            .collect();
        post(doors, "/customers/import", &json!(many)).await;
    }
    let one = json!([{ "customerId": "Zq-555", "name": "Xanthippe", "surname": "Quixwood", "country": "GB" }]);
    post(doors, "/customers/import", &one).await;
}

/// Everything in the files of the database.
fn bytes(crm: &Scenario) -> Vec<u8> {
    let files = std::fs::read_dir(crm.folder()).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    files.collect::<Vec<_>>().concat()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

async fn columns(crm: &Scenario, sealed_id: &str) -> Option<(String, String, String)> {
    let (sealed_id, sql) =
        (sealed_id.to_owned(), "SELECT wrapped_key, contents, lookup FROM subjects WHERE sealed_id = ?1");
    let row = crm.read(move |tx| {
        tx.query_opt(sql, store::params![&sealed_id], |row| {
            Ok(row.get_opt_text(0)?.zip(row.get_opt_text(1)?).zip(row.get_opt_text(2)?))
        })
    });
    row.await.flatten().map(|((key, contents), lookup)| (key, contents, lookup))
}

async fn begin(doors: &Router, id: &str) -> Value {
    let begun = post(doors, "/erasures", &json!({ "customerId": id, "by": "officer" })).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.body);
    begun.body
}

#[tokio::test]
async fn no_file_of_the_database_ever_holds_a_name_or_an_id() {
    let crm = scenario();
    filled(&doors(&crm)).await;
    let bytes = bytes(&crm);
    assert!(holds(&bytes, "subjects"), "looked in the wrong place");
    for text in ["Zebulon", "Xanthippe", "Quixwood", "Zq-555", "john-doe"] {
        assert!(!holds(&bytes, text), "{text}");
    }
}

#[tokio::test]
async fn the_key_of_an_erased_customer_is_in_no_file_and_the_others_stay() {
    let crm = scenario();
    let doors = doors(&crm);
    filled(&doors).await;
    let sealed = sealed_id(&crm, "Zq-555").await;
    let (key, contents, lookup) = columns(&crm, &sealed).await.unwrap();
    assert!(holds(&bytes(&crm), &key));

    begin(&doors, "Zq-555").await;
    let erased = post(&doors, &format!("/erasures/{sealed}/destroy"), &json!({})).await;
    assert!(erased.body["erasedAtMs"].is_i64(), "{}", erased.body);

    let bytes = bytes(&crm);
    assert!(holds(&bytes, &sealed), "the row stays");
    for gone in [&key, &contents, &lookup] {
        assert!(!holds(&bytes, gone));
    }
    for path in ["/customers/Zq-555", "/customers/Zq-555/billing-profile"] {
        assert_eq!(get(&doors, path).await.body["code"], "not_found", "{path}");
    }
    let tombstone = get(&doors, &format!("/customers/{sealed}")).await;
    assert_eq!((tombstone.status, &tombstone.body["code"]), (StatusCode::NOT_FOUND, &json!("customer_erased")));
    assert_eq!(get(&doors, "/customers/Zq-556").await.body["name"], "Zebulon");
    let listed = get(&doors, "/customers?limit=500").await.body;
    assert!(!listed.to_string().contains("Xanthippe"));
}

#[tokio::test]
async fn whoever_is_about_to_be_erased_orders_nothing_more_until_it_is_called_off() {
    let crm = scenario();
    let doors = doors(&crm);
    let sealed = sealed_id(&crm, "john-doe").await;
    let begun = begin(&doors, "john-doe").await;
    assert_eq!(
        (&begun["sealedId"], &begun["askedBy"], &begun["erasedAtMs"]),
        (&json!(sealed), &json!("officer"), &json!(null))
    );
    assert_eq!(get(&doors, "/customers/john-doe").await.body["standing"], "suspended");
    assert_eq!(begin(&doors, &sealed).await, begun, "begun twice is begun once");

    assert_eq!(delete(&doors, &format!("/erasures/{sealed}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(get(&doors, "/customers/john-doe").await.body["standing"], "good");
    assert_eq!(delete(&doors, &format!("/erasures/{sealed}")).await.status, StatusCode::NOT_FOUND);
    let early = post(&doors, &format!("/erasures/{sealed}/destroy"), &json!({})).await;
    assert_eq!(early.status, StatusCode::NOT_FOUND, "nothing is destroyed that was not begun");
}

#[tokio::test]
async fn an_erasure_is_recorded_once_with_its_proof_and_cannot_be_called_off() {
    let crm = scenario();
    let doors = doors(&crm);
    let sealed = sealed_id(&crm, "john-doe").await;
    begin(&doors, "john-doe").await;
    let proof = json!({ "places": 40, "findings": 0 });
    let path = |step: &str| format!("/erasures/{sealed}/{step}");
    assert_eq!(post(&doors, &path("proof"), &proof).await.status, StatusCode::NOT_FOUND, "nothing to prove yet");
    let once = post(&doors, &path("destroy"), &json!({})).await.body;
    let twice = post(&doors, &path("destroy"), &json!({})).await.body;
    assert_eq!(once, twice);
    post(&doors, &path("proof"), &proof).await;
    let list = get(&doors, "/erasures").await.body;
    let record = &list["erasures"][0];
    assert_eq!((&record["sealedId"], &record["places"], &record["findings"]), (&json!(sealed), &json!(40), &json!(0)));
    assert!(!list.to_string().contains("john") && list["erasures"].as_array().unwrap().len() == 1);
    assert_eq!(delete(&doors, &format!("/erasures/{sealed}")).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn who_is_not_here_cannot_be_erased_and_who_asks_has_a_name() {
    let crm = scenario();
    let doors = doors(&crm);
    let stranger = json!({ "customerId": "stranger", "by": "officer" });
    assert_eq!(post(&doors, "/erasures", &stranger).await.status, StatusCode::NOT_FOUND);
    for by in ["", "  ", &"x".repeat(101)] {
        let unsigned = json!({ "customerId": "john-doe", "by": by });
        assert_eq!(post(&doors, "/erasures", &unsigned).await.status, StatusCode::BAD_REQUEST, "{by}");
    }
    assert_eq!(get(&doors, "/erasures").await.body, json!({ "erasures": [] }));
}

/// What is on its way when the key goes still has a place, and an order in flight is billed to its end.
#[tokio::test]
async fn an_order_in_flight_of_an_erased_customer_goes_on_to_its_end() {
    let crm = scenario();
    let doors = doors(&crm);
    let sealed = sealed_id(&crm, "john-doe").await;
    begin(&doors, "john-doe").await;
    post(&doors, &format!("/erasures/{sealed}/destroy"), &json!({})).await;

    let completed = OrderCompleted {
        order_id: "o-1".parse().unwrap(),
        customer_id: sealed.parse().unwrap(),
        total: Money::from_minor(1_000),
        completed_at: Timestamp::from_millisecond(T0).unwrap(),
    };
    assert_eq!(crm.when(&event(completed).seal()).await, Outcome::Handled(vec![]));
    let billing = get(&doors, &format!("/customers/{sealed}/billing-profile")).await.body;
    assert_eq!((&billing["accountStatus"], &billing["taxRegion"]), (&json!("active"), &json!(null)));
}

#[tokio::test]
async fn whoever_comes_back_is_somebody_else() {
    let crm = scenario();
    let doors = doors(&crm);
    let before = sealed_id(&crm, "john-doe").await;
    begin(&doors, "john-doe").await;
    post(&doors, &format!("/erasures/{before}/destroy"), &json!({})).await;
    let again = json!({ "name": "John", "surname": "Doe", "customerId": "john-doe" });
    assert_eq!(post(&doors, "/customers", &again).await.status, StatusCode::CREATED);
    assert_ne!(sealed_id(&crm, "john-doe").await, before);
}

fn opened(crm: &Scenario, config: Config) -> Result<Store, StoreError> {
    let database = Database::Sqlite { path: crm.folder().join("scenario.db") };
    Store::open_prepared(&database, MIGRATIONS, &preparation(config))
}

#[tokio::test]
async fn another_master_key_is_refused_and_with_the_one_before_it_everything_is_wrapped_anew() {
    let crm = scenario();
    let sealed = sealed_id(&crm, "john-doe").await;
    let (key, contents, _) = columns(&crm, &sealed).await.unwrap();
    let other = Config::new(MasterKey::parse(OTHER_KEY).unwrap());
    let refused = opened(&crm, other).err().expect("the wrong key does not open it");
    assert!(refused.to_string().contains("another key") && !refused.to_string().contains(OTHER_KEY), "{refused}");
    assert!(get(&doors(&crm), "/customers/john-doe").await.status.is_success(), "nothing was changed");

    let rotated = Config { master_key_before: Some(config().master_key), ..other };
    opened(&crm, rotated).unwrap().close().await;
    let shown = get(&crm::doors(crm.transactor(), other).open_house(), "/customers/john-doe").await.body;
    assert_eq!((&shown["name"], &shown["sealedId"]), (&json!("John"), &json!(sealed)));
    let after = columns(&crm, &sealed).await.unwrap();
    assert!(after.0 != key && after.1 == contents);
    assert!(!holds(&bytes(&crm), &key), "what was wrapped under the key before is gone");
    assert!(opened(&crm, config()).is_err(), "the key before is of no use any more");
    assert_eq!(MasterKey::parse(KEY), Ok(config().master_key));
    drop(consumer(&other));
}

/// The service was killed after the commit and before the file was written anew.
async fn killed_before_the_scrub(crm: &Scenario, sealed_id: &str) {
    let sealed_id = sealed_id.to_owned();
    crm.given(move |tx| {
        let forget = "UPDATE subjects SET lookup = NULL, wrapped_key = NULL, contents = NULL WHERE sealed_id = ?1";
        tx.execute(forget, store::params![&sealed_id])?;
        tx.execute("UPDATE erasures SET erased_at_ms = 1 WHERE sealed_id = ?1", store::params![&sealed_id])
    })
    .await;
}

#[tokio::test]
async fn a_key_that_was_destroyed_and_not_scrubbed_is_gone_after_the_next_start_and_after_the_next_run() {
    for by_a_start in [true, false] {
        let crm = scenario();
        let doors = doors(&crm);
        filled(&doors).await;
        let sealed = sealed_id(&crm, "Zq-555").await;
        let (key, contents, lookup) = columns(&crm, &sealed).await.unwrap();
        begin(&doors, "Zq-555").await;
        killed_before_the_scrub(&crm, &sealed).await;
        assert!(holds(&bytes(&crm), &key), "the log is what this is about");

        // It goes on running: what a store does when it is closed is not what this is about.
        let started = by_a_start.then(|| opened(&crm, config()).unwrap());
        if !by_a_start {
            let again = post(&doors, &format!("/erasures/{sealed}/destroy"), &json!({})).await.body;
            assert!(again["erasedAtMs"] == 1 && again["scrubbedAtMs"].is_i64(), "{again}");
        }
        for gone in [&key, &contents, &lookup] {
            assert!(!holds(&bytes(&crm), gone), "by a start: {by_a_start}");
        }
        drop(started);
    }
}

#[tokio::test]
async fn an_erasure_that_was_cut_off_is_found_by_the_id_they_knew_until_a_look_was_clean() {
    let crm = scenario();
    let doors = doors(&crm);
    let sealed = sealed_id(&crm, "john-doe").await;
    begin(&doors, "john-doe").await;
    let destroyed = post(&doors, &format!("/erasures/{sealed}/destroy"), &json!({})).await.body;
    assert_eq!(get(&doors, "/customers/john-doe").await.body["code"], "not_found", "a stranger to everybody else");
    assert_eq!(begin(&doors, "john-doe").await, destroyed);

    let claim = "SELECT claim FROM erasures WHERE claim IS NOT NULL";
    let claims = || crm.read(move |tx| tx.query(claim, &[], |row| row.get_text(0)));
    let before = claims().await;
    let path = format!("/erasures/{sealed}/proof");
    post(&doors, &path, &json!({ "places": 40, "findings": 1 })).await;
    assert_eq!(begin(&doors, "john-doe").await["findings"], 1);
    let proved = post(&doors, &path, &json!({ "places": 40, "findings": 0 })).await.body;
    assert!(proved["scrubbedAtMs"].is_i64(), "{proved}");
    let by_id = json!({ "customerId": "john-doe", "by": "officer" });
    assert_eq!(post(&doors, "/erasures", &by_id).await.status, StatusCode::NOT_FOUND);
    assert!(claims().await.is_empty() && before.len() == 1 && !holds(&bytes(&crm), &before[0]));
}

/// A second instance was started with a new master key while this one goes on with the one before: what it wrote nobody could ever read.
#[tokio::test]
async fn an_instance_with_the_master_key_before_writes_nobody_and_says_so() {
    let crm = scenario();
    let doors = doors(&crm);
    let other = Config::new(MasterKey::parse(OTHER_KEY).unwrap());
    opened(&crm, Config { master_key_before: Some(config().master_key), ..other }).unwrap().close().await;

    let new = json!({ "customerId": "ada", "name": "Ada", "surname": "Love" });
    for (path, body) in [("/customers", &new), ("/customers/import", &json!([new]))] {
        let refused = post(&doors, path, body).await;
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (StatusCode::SERVICE_UNAVAILABLE, &json!("master_key_replaced")),
            "{path}"
        );
    }
    // It finds nobody by what they know, and does not say that they are not here.
    assert_eq!(get(&doors, "/customers/john-doe").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let by_id = json!({ "customerId": "john-doe", "by": "officer" });
    assert_eq!(post(&doors, "/erasures", &by_id).await.status, StatusCode::SERVICE_UNAVAILABLE);

    let since = crm::doors(crm.transactor(), other).open_house();
    assert_eq!(get(&since, "/customers?limit=500").await.body.as_array().unwrap().len(), 2, "nobody was written");
    assert_eq!(post(&since, "/customers", &new).await.status, StatusCode::CREATED);
}
