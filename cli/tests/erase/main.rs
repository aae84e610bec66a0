//! A person is erased from a shop that has lived: orders, a return, a dead letter and its replay, free text. Then every byte that is left is
//! searched, by other code than the command's own, and the books still add up. On SQLite, and on PostgreSQL where `BOUTIQUE_TEST_POSTGRES`
//! names a server.

#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

mod leaks;
mod shop;

use serde_json::{Value, json};
use shop::{Engine, LENS, Shop};

/// Who is erased. Names that nothing else in the house has.
const ZEBULON: Someone = Someone { id: "Zq-Person-77", name: "Zebulon", surname: "Quixwood" };
/// Who is erased while an order is on its way.
const XANTHIPPE: Someone = Someone { id: "Xa-Person-78", name: "Xanthippe", surname: "Öhrwürmli" };
/// Who is erased by a run that is cut off.
const BALTHASAR: Someone = Someone { id: "Ba-Person-79", name: "Balthasar", surname: "Vandervoort" };
/// Who is erased by a run that is cut off after their key was destroyed, and finished by the id they knew.
const CUNIGUNDE: Someone = Someone { id: "Cu-Person-81", name: "Cunigunde", surname: "Wirrwarr" };
/// As they, and finished by the sealed id.
const DIETLINDE: Someone = Someone { id: "Di-Person-82", name: "Dietlinde", surname: "Zwickmühl" };
/// Whose id is in every payload, as a quantity and as a count.
const NUMBER: Someone = Someone { id: "1", name: "Wilhelmine", surname: "Zwackelmann" };
/// Everybody who is erased.
const EVERYBODY: [Someone; 6] = [ZEBULON, XANTHIPPE, BALTHASAR, CUNIGUNDE, DIETLINDE, NUMBER];
/// Whom the CRM does not know.
const STRANGER: &str = "Zq-Stranger-80";

/// A person.
#[derive(Clone, Copy)]
pub struct Someone {
    id: &'static str,
    name: &'static str,
    surname: &'static str,
}

impl Someone {
    fn words(self) -> [&'static str; 3] {
        [self.id, self.name, self.surname]
    }

    /// What can be looked for one by one: a 1 is everywhere.
    fn telling_words(self) -> Vec<&'static str> {
        self.words().into_iter().filter(|word| word.len() > 1).collect()
    }

    /// With `--name` and `--surname`.
    fn named(self) -> [&'static str; 5] {
        ["--yes", "--name", self.name, "--surname", self.surname]
    }
}

fn erase_everybody_and_look_at_every_byte(engine: Engine) {
    let mut shop = Shop::new(engine);

    // A bad deployment of accounting, so that letters die.
    shop.up(&[("BOUTIQUE_ACCOUNTING_FAIL", "illegal_state")]);
    for someone in EVERYBODY {
        let new =
            json!({ "customerId": someone.id, "name": someone.name, "surname": someone.surname, "country": "GB" });
        shop.post("crm", "/customers", &new);
    }
    let died = shop.place(ZEBULON.id);
    let in_flight = shop.place(XANTHIPPE.id);
    let counted = shop.json(&["order", "place", "--customer", NUMBER.id, "66VCHSJNUP:1"]);
    assert_eq!(died["customerId"], ZEBULON.id, "the client is told what it said");
    let refused = shop.boutique(&["order", "place", "--customer", STRANGER, LENS]);
    assert!(!refused.status.success());
    shop.until("three letters", |shop| shop.json(&["dlq", "list"])["groups"][0]["count"] == 3);
    shop.stop();

    // The fix, and a replay of one of them, signed with a name it should not have.
    shop.up(&[]);
    let order = died["orderId"].as_str().unwrap();
    let plan = shop.json(&["dlq", "plan", "--order", order, "--by", "ada"])["plan"].as_str().unwrap().to_owned();
    let why = format!("{} {} called", ZEBULON.name, ZEBULON.surname);
    let replayed = shop.boutique(&["dlq", "replay", "--plan", &plan, "--why", &why, "--by", "ada"]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    shop.until_order(order, "completed");
    send_back(&shop, order);
    let finished = shop.place(BALTHASAR.id);
    shop.until_order(finished["orderId"].as_str().unwrap(), "completed");
    for someone in EVERYBODY {
        let entered = json!({ "item": format!("desk for {}", someone.id), "price": 7.5, "date": "2026-01-31",
                              "customer": format!("{}, {}", someone.surname, someone.name) });
        shop.post("accounting", "/transactions", &entered);
    }

    // Before: what people wrote is there, and nothing else.
    let before = leaks::everywhere(&shop, &ZEBULON.words());
    assert!(!before.is_empty(), "looked in the wrong place");
    for place in &before {
        assert!(place.contains("accounting") || place.contains("ops"), "{place} names a person");
    }
    assert!(leaks::everywhere(&shop, &[STRANGER]).is_empty(), "what a stranger was called is kept");

    nobody_is_erased_where_not_everything_can_be_looked_at(&shop);
    whoever_ordered_nothing_lately_is_erased(&shop);
    a_slip_changes_nothing_without_a_word(&shop);
    whoever_has_a_number_for_an_id_is_erased_and_no_payload_is_broken(&shop, counted["orderId"].as_str().unwrap());
    an_order_on_its_way_has_to_end_or_goes_on_unnamed(&shop, in_flight["orderId"].as_str().unwrap());
    a_run_that_was_cut_off_is_finished_by_the_next(&mut shop);
    a_run_that_was_cut_off_after_the_key_was_destroyed_is_finished_too(&mut shop);

    let sealed: Vec<String> = shop.json(&["erase", "--list"])["erasures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| {
            assert!(record["erasedAtMs"].is_i64() && record["askedBy"] == "officer", "{record}");
            record["sealedId"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(sealed.len(), EVERYBODY.len());
    let left: Vec<&str> = EVERYBODY.iter().flat_map(|someone| someone.telling_words()).collect();
    assert_eq!(leaks::everywhere(&shop, &left), [] as [String; 0]);
    assert_eq!(leaks::of_log(&shop, &left), [] as [String; 0], "the log at its most talkative");
    let audit = shop.boutique(&["audit", "--wait", "60"]);
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));

    an_event_that_names_somebody_is_found(&shop);
}

fn send_back(shop: &Shop, order: &str) {
    let goods = shop.json(&["order", "return", order, "66VCHSJNUP:1", "--reason", "does-not-fit"]);
    let path = format!("/returns/{}/received", goods["returnId"].as_str().unwrap());
    shop.until("the warehouse to expect the goods", |shop| shop.try_post("warehouse", &path, &Value::Null).is_ok());
    shop.until("the refund", |shop| {
        let invoice = shop.get("accounting", &format!("/invoices/{order}"));
        !invoice["creditNotes"].as_array().unwrap().is_empty()
    });
}

fn whoever_ordered_nothing_lately_is_erased(shop: &Shop) {
    let asked = shop.boutique(&["erase", ZEBULON.id, "--by", "officer"]);
    assert!(String::from_utf8_lossy(&asked.stderr).contains("--yes"), "nobody is erased without a word");
    assert_eq!(shop.get("crm", &format!("/customers/{}", ZEBULON.id))["standing"], "good");

    let (done, report) = shop.erase(&[ZEBULON.id, "--yes"]);
    assert!(done && report["outcome"] == "erased", "{report:#}");
    assert_eq!(report["erasure"]["findings"], 0);
    assert!(report["places"].as_array().unwrap().len() > 60, "{report:#}");
    assert!(report["texts"].as_array().unwrap().iter().all(|text| text[1]["changed"].as_u64() > Some(0)), "{report:#}");
    let sealed = report["erasure"]["sealedId"].as_str().unwrap();

    let (done, again) = shop.erase(&[sealed, "--yes"]);
    assert!(done && again["outcome"] == "before", "{again:#}");
    let (done, unknown) = shop.erase(&[ZEBULON.id, "--yes"]);
    assert!(!done && unknown["outcome"] == "unknown", "{unknown:#}");
    let (done, known) = shop.erase(&[ZEBULON.id, "--yes", "--name", ZEBULON.name, "--surname", ZEBULON.surname]);
    assert!(done && known["outcome"] == "unknown", "{known:#}");
    let refused = shop.boutique(&["order", "place", "--customer", ZEBULON.id, LENS]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not known"), "who is erased is a stranger");
}

/// A run that could not prove anything stops before it destroys anything.
fn nobody_is_erased_where_not_everything_can_be_looked_at(shop: &Shop) {
    let wrong = shop.boutique(&["erase", ZEBULON.id, "--yes", "--by", "officer", "--database-url", "sqlite:/nowhere"]);
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("does not exist"));
    let link = shop.data().join("another-disk");
    std::os::unix::fs::symlink("/nowhere", &link).unwrap();
    let unseen = shop.boutique(&["erase", ZEBULON.id, "--yes", "--by", "officer"]);
    assert!(!unseen.status.success() && String::from_utf8_lossy(&unseen.stderr).contains("another-disk"));
    std::fs::remove_file(link).unwrap();
    assert_eq!(shop.get("crm", "/erasures"), json!({ "erasures": [] }));
    assert_eq!(shop.get("crm", &format!("/customers/{}", ZEBULON.id))["standing"], "good");
}

/// The officer mistypes the id of somebody who was erased, and names a customer who is here.
fn a_slip_changes_nothing_without_a_word(shop: &Shop) {
    let written = || shop.get("accounting", "/transactions")["transactions"].clone();
    let before = written();
    let slip = ["erase", "Zq-Persno-77", "--by", "officer", "--name", CUNIGUNDE.name, "--surname", CUNIGUNDE.surname];
    let asked = shop.boutique(&slip);
    assert!(!asked.status.success() && String::from_utf8_lossy(&asked.stderr).contains("--yes"));
    let nobody = shop.boutique(&[&slip[..], &["--yes", "--call-off"]].concat());
    assert!(!nobody.status.success() && String::from_utf8_lossy(&nobody.stderr).contains("nothing to call off"));
    assert_eq!(written(), before);
}

fn whoever_has_a_number_for_an_id_is_erased_and_no_payload_is_broken(shop: &Shop, order: &str) {
    let (done, report) = shop.erase(&[NUMBER.id, "--yes", "--force"]);
    let found: Vec<&Value> =
        report["places"].as_array().unwrap().iter().filter(|place| place["findings"] != 0).collect();
    assert!(done && report["outcome"] == "erased", "{found:#?}");
    let letter = &shop.get("ops", &format!("/letters?order={order}"))["letters"][0]["letterId"];
    let shown = shop.get("ops", &format!("/letters/{}", letter.as_str().unwrap()));
    assert_eq!(shown["payload"]["lines"][0]["quantity"], 1, "{shown:#}");
    let plan = shop.json(&["dlq", "plan", "--order", order, "--by", "ada"])["plan"].as_str().unwrap().to_owned();
    let replayed = shop.boutique(&["dlq", "replay", "--plan", &plan, "--why", "the order goes on", "--by", "ada"]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    shop.until_order(order, "completed");
}

fn an_order_on_its_way_has_to_end_or_goes_on_unnamed(shop: &Shop, order: &str) {
    let (done, waits) = shop.erase(&[XANTHIPPE.id, "--yes"]);
    assert!(!done && waits["outcome"] == "waits" && waits["openOrders"] == json!([order]), "{waits:#}");
    assert_eq!(shop.get("crm", &format!("/customers/{}", XANTHIPPE.id))["standing"], "suspended");

    let (done, report) = shop.erase(&[XANTHIPPE.id, "--yes", "--force"]);
    assert!(done && report["openOrders"] == json!([order]), "{report:#}");
    let plan = shop.json(&["dlq", "plan", "--order", order, "--by", "ada"])["plan"].as_str().unwrap().to_owned();
    let replayed = shop.boutique(&["dlq", "replay", "--plan", &plan, "--why", "the order goes on", "--by", "ada"]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    shop.until_order(order, "completed");
}

/// The command died after each of its steps but the last, and the whole shop after them.
fn a_run_that_was_cut_off_is_finished_by_the_next(shop: &mut Shop) {
    let begun = shop.post("crm", "/erasures", &json!({ "customerId": BALTHASAR.id, "by": "officer" }));
    let wanted = json!({ "customerId": BALTHASAR.id, "name": BALTHASAR.name, "surname": BALTHASAR.surname });
    shop.post("accounting", "/erasures", &wanted);
    shop.kill();
    shop.up(&[]);
    let (done, report) = shop.erase(&[BALTHASAR.id, "--yes"]);
    assert!(done && report["erasure"]["sealedId"] == begun["sealedId"], "{report:#}");
    assert_eq!(report["erasure"]["begunAtMs"], begun["begunAtMs"]);
}

/// The command died between the key and the look, and the whole shop after it: nobody but the officer knows who it was.
fn a_run_that_was_cut_off_after_the_key_was_destroyed_is_finished_too(shop: &mut Shop) {
    let destroyed = [CUNIGUNDE, DIETLINDE].map(|someone| {
        let begun = shop.post("crm", "/erasures", &json!({ "customerId": someone.id, "by": "officer" }));
        let sealed = begun["sealedId"].as_str().unwrap().to_owned();
        shop.post("crm", &format!("/erasures/{sealed}/destroy"), &json!({}));
        sealed
    });
    shop.kill();
    shop.up(&[]);
    for (someone, sealed) in [CUNIGUNDE, DIETLINDE].into_iter().zip(&destroyed) {
        let (done, nameless) = shop.erase(&[someone.id, "--yes"]);
        assert!(
            !done && nameless["outcome"] == "before" && nameless["erasure"]["sealedId"] == **sealed,
            "{nameless:#}"
        );
        let late = shop.boutique(&["erase", sealed, "--yes", "--call-off"]);
        assert!(!late.status.success() && String::from_utf8_lossy(&late.stderr).contains("destroyed"));
    }
    let by_id = [&[CUNIGUNDE.id], &CUNIGUNDE.named()[..]].concat();
    let by_sealed_id = [&[destroyed[1].as_str(), "--id", DIETLINDE.id], &DIETLINDE.named()[..]].concat();
    for (arguments, sealed) in [by_id, by_sealed_id].iter().zip(&destroyed) {
        let (done, report) = shop.erase(arguments);
        assert!(done && report["outcome"] == "erased", "{report:#}");
        let record = &report["erasure"];
        assert!(
            record["sealedId"] == **sealed && record["findings"] == 0 && record["scrubbedAtMs"].is_i64(),
            "{record}"
        );
        assert!(
            report["texts"][0][1]["changed"].as_u64() > Some(0),
            "what people wrote is still to be mended: {report:#}"
        );
    }
}

/// The look can fail: whoever publishes past the schema is found in every place the event comes to.
fn an_event_that_names_somebody_is_found(shop: &Shop) {
    assert_eq!(shop.get("ops", "/groups?state=open"), json!({ "groups": [] }));
    shop.publish_naming(ZEBULON.id);
    shop.until("its death to be kept", |shop| shop.get("ops", "/groups?state=open")["groups"][0]["count"].is_u64());
    let name = ["--name", ZEBULON.name, "--surname", ZEBULON.surname];
    let arguments = [&[ZEBULON.id, "--yes"], &name[..]].concat();
    shop.until("the event in the broker's, the warehouse's and a service's books", |shop| {
        let (done, report) = shop.erase(&arguments);
        let found: Vec<&str> = report["places"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|place| place["findings"] != 0)
            .filter_map(|place| place["place"].as_str())
            .collect();
        assert!(!found.contains(&"ops: letters"), "what ops keeps of it is mended");
        !done
            && ["broker/", "warehouse-tables/", "crm: outbox"]
                .iter()
                .all(|part| found.iter().any(|place| place.contains(part)))
    });
}

#[test]
fn nothing_readable_is_left_of_a_person_on_sqlite() {
    erase_everybody_and_look_at_every_byte(Engine::Sqlite);
}

#[test]
fn nothing_readable_is_left_of_a_person_on_postgresql() {
    let Ok(url) = std::env::var("BOUTIQUE_TEST_POSTGRES") else {
        assert_ne!(std::env::var("BOUTIQUE_REQUIRE_POSTGRES").as_deref(), Ok("1"), "BOUTIQUE_TEST_POSTGRES is not set");
        return;
    };
    erase_everybody_and_look_at_every_byte(Engine::postgres(&url));
}
