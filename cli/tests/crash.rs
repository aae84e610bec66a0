//! `kill -9` of the whole shop in the middle of its work, and `up` again on the same data: the books add up, and no order that was
//! answered 201 is missing.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// Looks this often, this many times.
const PERIOD: Duration = Duration::from_millis(50);
const TIMES: u32 = 1_200;
/// Orders answered 201 before the shop is killed.
const BEFORE_THE_KILL: usize = 60;

fn boutique(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_boutique"));
    command
        .env("BOUTIQUE_DATA", data)
        .env_remove("DATABASE_URL")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    command
}

/// Kills what a failing test leaves running.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn kill_9(mut self) {
        self.0.kill().expect("SIGKILL");
        self.0.wait().expect("its end");
    }
}

fn up(data: &Path) -> Process {
    let mut command = boutique(data);
    command.args(["up", "--ports", "auto", "--dispatch-delay-ms", "0", "--deliver-delay-ms", "0", "--quiet"]);
    let shop = Process(command.spawn().expect("boutique up"));
    until("the shop to be up", || data.join("addresses.json").exists());
    shop
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

fn answered(data: &Path) -> usize {
    std::fs::read_to_string(data.join("answered.jsonl")).map_or(0, |text| text.lines().count())
}

fn audit(data: &Path) -> (bool, Value) {
    let output = boutique(data).args(["audit", "--wait", "60", "--json"]).output().expect("boutique audit");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("the audit printed no report ({error}): {}", String::from_utf8_lossy(&output.stderr))
    });
    (output.status.success(), report)
}

fn shop_killed_under_load() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_owned();
    let shop = up(&data);
    let mut import = boutique(&data);
    import.args(["import", "--orders", "--limit", "400"]).stdout(Stdio::null()).stderr(Stdio::null());
    let clients = Process(import.spawn().expect("boutique import"));
    until("orders to be answered", || answered(&data) >= BEFORE_THE_KILL);
    shop.kill_9();
    clients.kill_9();
    // A killed shop cannot take its addresses down.
    std::fs::remove_file(data.join("addresses.json")).expect("addresses of the killed shop");
    (folder, data)
}

#[test]
fn a_shop_killed_in_the_middle_of_its_work_goes_on_and_its_books_add_up() {
    let (_folder, data) = shop_killed_under_load();
    let told = answered(&data);

    let shop = up(&data);
    let (holds, report) = audit(&data);

    assert!(holds, "{report:#}");
    assert_eq!(report["openOrders"], serde_json::json!([]), "{report:#}");
    let checked = report["invariants"][0]["checked"].as_u64().expect("a count");
    assert!(checked >= told as u64 * 4, "{checked} things checked for {told} orders");
    drop(shop);

    // The audit can fail: an order that was answered 201 and is not in the books is found.
    let mut notes = std::fs::read_to_string(data.join("answered.jsonl")).expect("notes");
    notes.push_str("{\"orderId\":\"never-committed\",\"basketId\":\"0\"}\n");
    std::fs::write(data.join("answered.jsonl"), notes).expect("notes");
    let output = boutique(&data).args(["audit", "--json"]).output().expect("boutique audit");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("never-committed"));
}
