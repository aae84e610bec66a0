//! Who may do what with a shop that runs: the command line with its key, a stranger without; and where the key is worth nothing.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use identity::development::CLOUD_VARIABLES;
use identity::{Jwks, OnThisMachine, Trust, Verifier, development};
use runtime::{CallError, Peer, clock};
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

fn boutique(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_boutique"));
    command.env("BOUTIQUE_DATA", data).env_remove("DATABASE_URL").env_remove("BOUTIQUE_TOKEN").args(args);
    command
}

fn up(data: &Path) -> Process {
    let mut command = boutique(data, &["up", "--ports", "auto", "--quiet"]);
    let shop = Process(command.stdout(Stdio::null()).spawn().expect("boutique up"));
    for _ in 0..TIMES {
        if data.join("addresses.json").exists() {
            return shop;
        }
        std::thread::sleep(PERIOD);
    }
    panic!("waited in vain for the shop to be up");
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn the_command_line_is_the_operator_and_a_stranger_is_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let _shop = up(data);
    let asked = boutique(data, &["stuck", "--json"]).output().expect("boutique stuck");
    assert!(asked.status.success(), "{}", said(&asked));

    let addresses = std::fs::read_to_string(data.join("addresses.json")).expect("addresses");
    let addresses: Value = serde_json::from_str(&addresses).expect("addresses");
    let oms = Peer::new("oms", addresses["oms"].as_str().expect("a URL"), Duration::from_secs(10));
    let error = oms.get::<Value>("/orders/summary").await.expect_err("nobody in particular");
    assert!(matches!(&error, CallError::TurnedAway { problem, .. } if problem.code == "missing_token"), "{error}");

    let mut wrong = boutique(data, &["stuck", "--json"]);
    let wrong = wrong.env("BOUTIQUE_TOKEN", "not-a-token").output().expect("boutique stuck");
    assert!(!wrong.status.success() && said(&wrong).contains("no token"), "{}", said(&wrong));
    assert!(!said(&wrong).contains("not-a-token"), "{}", said(&wrong));

    let key = development::key_path(&data.join("identity"));
    let log = std::fs::metadata(&key).expect("the key");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&log.permissions()) & 0o777, 0o600);
}

#[tokio::test]
async fn a_clients_token_is_signed_where_a_shop_has_been_and_nowhere_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let none = boutique(data, &["token"]).output().expect("boutique token");
    assert!(!none.status.success() && said(&none).contains("no local shop"), "{}", said(&none));

    let keys = data.join("identity");
    identity::DevelopmentKey::open_or_make(&keys).expect("a key");
    let args = ["token", "--subject", "anna", "--scope", "orders:read", "--scope", "orders:write", "--customer", "c-1"];
    let made = boutique(data, &args).output().expect("boutique token");
    assert!(made.status.success(), "{}", said(&made));
    let token = String::from_utf8(made.stdout).expect("text");

    let here = OnThisMachine::check(|name| name == "PUBSUB_EMULATOR_HOST", ([127, 0, 0, 1], 80).into()).expect("here");
    let jwks = Jwks::new(&format!("file:{}", development::jwks_path(&keys).display())).expect("a file");
    let trust = Trust::of_development(here, "//onlineboutique.com/gateway".to_owned(), jwks).expect("an audience");
    let claims = Verifier::new(trust).verify(token.trim(), clock::now_ms() / 1_000).await.expect("a good token");
    assert_eq!((claims.subject.as_str(), claims.customer_id.as_deref()), ("anna", Some("c-1")));
    assert_eq!(claims.scopes.len(), 2);

    let header = boutique(data, &["token", "--header"]).output().expect("boutique token");
    assert!(said(&header).starts_with("Authorization: Bearer ey"), "{}", said(&header));
    let long = boutique(data, &["token", "--ttl", "86401"]).output().expect("boutique token");
    assert!(!long.status.success() && said(&long).contains("--ttl"), "{}", said(&long));
}

#[test]
fn a_service_does_not_start_without_knowing_whom_to_believe_nor_with_a_development_key_in_a_cloud() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("identity");
    identity::DevelopmentKey::open_or_make(&keys).expect("a key");
    let serve = |settings: &[(&str, &str)]| {
        let mut command = boutique(folder.path(), &["serve", "crm", "--listen", "127.0.0.1:0"]);
        for name in CLOUD_VARIABLES {
            command.env_remove(name);
        }
        command.env("BOUTIQUE_DATABASE", format!("sqlite:{}", folder.path().display()));
        // Nobody is there; nothing is sent before a service has started.
        command.env("PUBSUB_EMULATOR_HOST", "127.0.0.1:1").envs(settings.iter().copied());
        let output = command.output().expect("boutique serve");
        assert!(!output.status.success(), "{settings:?}");
        said(&output)
    };
    let nothing = serve(&[]);
    assert!(nothing.contains("BOUTIQUE_CALLER_DOMAIN is not set"), "{nothing}");
    let key = development::key_path(&keys);
    let local =
        [("BOUTIQUE_IDENTITY_KEY", key.to_str().expect("a path")), ("BOUTIQUE_CALLER_ISSUER", development::ISSUER)];
    for cloud in CLOUD_VARIABLES {
        let refused = serve(&[local[0], local[1], (cloud, "x")]);
        assert!(refused.contains(&format!("{cloud} is set")), "{refused}");
    }
    let reachable = boutique(folder.path(), &["up", "--host", "0.0.0.0"]).output().expect("boutique up");
    assert!(!reachable.status.success() && said(&reachable).contains("other machines"), "{}", said(&reachable));
}
