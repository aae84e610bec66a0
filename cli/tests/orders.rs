//! `boutique order` against a running shop: placed, returned, refused, each with an answer a person can read.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

/// Looks this often, this many times.
const PERIOD: Duration = Duration::from_millis(50);
const TIMES: u32 = 1_200;

/// Kills what a failing test leaves running.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn boutique(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_boutique"));
    command.env("BOUTIQUE_DATA", data).env_remove("DATABASE_URL").args(arguments);
    command
}

fn run(data: &Path, arguments: &[&str]) -> Output {
    boutique(data, arguments).stdin(Stdio::null()).output().expect("boutique runs")
}

fn json(data: &Path, arguments: &[&str]) -> Value {
    let output = run(data, &[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What a refusal says on standard error.
fn refusal(data: &Path, arguments: &[&str]) -> String {
    let output = run(data, arguments);
    assert!(!output.status.success(), "{arguments:?} went through");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn until(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..TIMES {
        if happened() {
            return;
        }
        std::thread::sleep(PERIOD);
    }
    panic!("waited in vain for {what}");
}

#[test]
fn orders_are_returned_cancelled_and_reviewed_from_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let up = ["up", "--ports", "auto", "--dispatch-delay-ms", "0", "--deliver-delay-ms", "0", "--quiet"];
    let _shop = Process(boutique(data, &up).spawn().expect("boutique up"));
    until("the shop to be up", || data.join("addresses.json").exists());

    let placed = json(data, &["order", "place", "--customer", "john-doe", "66VCHSJNUP:2"]);
    let order = placed["orderId"].as_str().expect("an order").to_owned();
    until("the order to be completed", || {
        json(data, &["order", "show", &order])["order"]["order"]["status"] == "completed"
    });

    let watched = run(data, &["order", "watch", &order, "--json"]);
    let said = String::from_utf8_lossy(&watched.stdout).into_owned();
    let facts: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let heard = |fact: &str| facts.iter().filter(|heard| heard["fact"] == fact).count();
    assert!(
        watched.status.success() && heard("order.confirmed") == 1 && heard("fulfillment.shipment_delivered") >= 1,
        "{said}"
    );
    assert_eq!(facts.last().expect("an end")["fact"], "order.completed", "{said}");
    let said = refusal(data, &["order", "watch", "no-such-order"]);
    assert!(said.contains("cannot be watched") && said.contains("not_found"), "{said}");

    let said = refusal(data, &["order", "cancel", &order]);
    assert!(said.contains("is not cancelled") && said.contains("offer a return"), "{said}");
    let said = refusal(data, &["order", "release", &order]);
    assert!(said.contains("is not released") && said.contains("not_on_hold"), "{said}");
    let said = refusal(data, &["order", "refuse", &order]);
    assert!(said.contains("is not refused") && said.contains("not_on_hold"), "{said}");

    let goods = ["order", "return", &order, "66VCHSJNUP:1", "--reason", "does-not-fit", "--return-id", "r-1"];
    let first = json(data, &goods);
    assert_eq!(first["status"], "expected");
    assert_eq!(json(data, &goods), first, "the same again");
    let said = refusal(data, &["order", "return", &order, "66VCHSJNUP:2", "--reason", "other"]);
    assert!(said.contains("nothing of order") && said.contains("already_returned"), "{said}");
    let said = refusal(data, &["order", "return", &order, "66VCHSJNUP:1", "--reason", "because"]);
    assert!(said.contains("changed-mind"), "the reasons there are: {said}");
    let shown = json(data, &["order", "show", &order]);
    assert_eq!(shown["order"]["order"]["returns"][0]["returnId"], first["returnId"]);
}
