//! `boutique bench broker --quick`: it runs, no message is missing, and nothing is judged. Beside Google's emulator too, where that is installed.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// What is measured without another side: one row each.
const ROWS: usize = 14;

fn bench(work: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_boutique"));
    command.args(["bench", "broker", "--quick", "--json", "-", "--work-dir"]).arg(work).args(arguments);
    command.output().expect("boutique bench broker")
}

fn report(output: &Output) -> Value {
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    serde_json::from_slice(&output.stdout).expect("JSON on standard output, the table elsewhere")
}

#[test]
fn a_quick_run_measures_everything_loses_nothing_and_judges_nothing() {
    let work = tempfile::tempdir().expect("a folder");
    let report = report(&bench(work.path(), &[]));
    let rows = report["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), ROWS, "{rows:?}");
    for row in rows {
        let median = row["ours"]["median"].as_f64().expect("a number");
        // A short turn may use less CPU than the kernel's clock can tell.
        assert!(median > 0.0 || row["unit"] == "µs", "{row}");
        assert_eq!((&row["verdict"], &row["theirs"]), (&Value::Null, &Value::Null), "{row}");
    }
    assert_eq!(report["problems"]["count"], 0);
    let left = std::fs::read_dir(work.path()).expect("the folder").count();
    assert_eq!(left, 0, "the run leaves nothing behind");
}

/// Google's emulator, where it is installed: both sides are in every row.
#[test]
fn the_emulator_stands_beside_it() {
    let work = tempfile::tempdir().expect("a folder");
    let output = bench(work.path(), &["--against", "emulator", "--figures", "1,3,4,6"]);
    if String::from_utf8_lossy(&output.stderr).contains("is not in the usual places") {
        assert!(std::env::var("BOUTIQUE_REQUIRE_EMULATOR").is_err(), "the Pub/Sub emulator is not installed");
        eprintln!("skipped: Google's Pub/Sub emulator is not installed");
        return;
    }
    let report = report(&output);
    assert!(report["against"].as_str().expect("a name").starts_with("Google's emulator"));
    for row in report["rows"].as_array().expect("rows") {
        assert!(row["theirs"]["median"].is_number() && row["ratio"]["median"].is_number(), "{row}");
    }
}

#[test]
fn a_side_that_is_not_there_is_named() {
    let work = tempfile::tempdir().expect("a folder");
    let output = bench(work.path(), &["--against", "127.0.0.1:1", "--figures", "2"]);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(complaints.contains("cannot connect to 127.0.0.1:1"), "{complaints}");
}
