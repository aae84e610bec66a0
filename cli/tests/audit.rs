//! The audit can fail: for each invariant a violation is planted in the books of a shop at rest, is found and named, and is gone
//! again once it is mended. On SQLite, and on PostgreSQL where `BOUTIQUE_TEST_POSTGRES` names a server.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use store::{Database, Migration, Store};

/// Orders placed.
const ORDERS: &str = "40";
/// An event that nobody said, as a row of the warehouse.
const STRANGER: &str = r#"{"subscription_name":"s","message_id":"1","publish_time":"2999-01-01T00:00:00Z","data":"{}","attributes":"{\"ce-source\":\"//onlineboutique.com/oms\",\"ce-id\":\"never-said\"}"}"#;

/// A shop at rest.
struct Books {
    folder: tempfile::TempDir,
    database_url: Option<String>,
}

/// SQL that breaks an invariant, SQL that mends it, and what the audit says in between.
struct Plant {
    invariant: u64,
    service: &'static str,
    migrations: &'static [Migration],
    breaks: &'static str,
    mends: &'static str,
    says: &'static str,
}

const fn plant(
    invariant: u64,
    service: &'static str,
    migrations: &'static [Migration],
    breaks: &'static str,
    mends: &'static str,
    says: &'static str,
) -> Plant {
    Plant { invariant, service, migrations, breaks, mends, says }
}

const PLANTS: &[Plant] = &[
    plant(
        1,
        checkout::NAME,
        checkout::MIGRATIONS,
        "UPDATE outbox SET event_type = 'gone' WHERE seq =
            (SELECT MIN(seq) FROM outbox WHERE event_type = 'com.onlineboutique.order.confirmed.v1')",
        "UPDATE outbox SET event_type = 'com.onlineboutique.order.confirmed.v1' WHERE event_type = 'gone'",
        "was confirmed without order.confirmed.v1",
    ),
    plant(
        2,
        accounting::NAME,
        accounting::MIGRATIONS,
        "UPDATE outbox SET event_type = 'com.onlineboutique.billing.invoice_issued.v1', key = 'planted'
            WHERE seq =
            (SELECT MIN(seq) FROM outbox WHERE event_type = 'com.onlineboutique.billing.revenue_recognized.v1')",
        "UPDATE outbox SET event_type = 'com.onlineboutique.billing.revenue_recognized.v1', key = 'mended' WHERE key = 'planted'",
        "billing.invoice_issued.v1 of order",
    ),
    plant(
        2,
        accounting::NAME,
        accounting::MIGRATIONS,
        "UPDATE invoices SET recognized_minor = recognized_minor - 1
            WHERE order_id = (SELECT MIN(order_id) FROM invoices WHERE recognized_minor = total_minor AND total_minor > 0)",
        "UPDATE invoices SET recognized_minor = recognized_minor + 1 WHERE recognized_minor = total_minor - 1",
        "cents earned",
    ),
    plant(
        2,
        accounting::NAME,
        accounting::MIGRATIONS,
        "UPDATE invoices SET refunded_minor = refunded_minor + 1
            WHERE order_id = (SELECT MIN(order_id) FROM invoices WHERE refunded_minor = 0 AND total_minor > 0)",
        "UPDATE invoices SET refunded_minor = 0 WHERE refunded_minor = 1",
        "credit notes over 0",
    ),
    plant(
        3,
        inventory::NAME,
        inventory::MIGRATIONS,
        "UPDATE stock SET reserved = reserved + 1
            WHERE product_id = (SELECT MIN(product_id) FROM stock WHERE reserved < stock_level)",
        "UPDATE stock SET reserved = reserved - 1
            WHERE product_id = (SELECT MIN(product_id) FROM stock WHERE reserved > 0)",
        "reserved",
    ),
    plant(
        4,
        accounting::NAME,
        accounting::MIGRATIONS,
        "UPDATE ledger_entries SET amount_minor = amount_minor + 1000000007 WHERE position = (SELECT MIN(position) FROM ledger_entries) AND transaction_id =
            (SELECT MIN(transaction_id) FROM ledger_entries)",
        "UPDATE ledger_entries SET amount_minor = amount_minor - 1000000007 WHERE amount_minor > 1000000007",
        "debited",
    ),
    plant(
        5,
        oms::NAME,
        oms::MIGRATIONS,
        "UPDATE orders SET status = 'cancelled', updated_at_ms = -updated_at_ms
            WHERE order_id = (SELECT MIN(order_id) FROM orders WHERE status = 'completed')",
        "UPDATE orders SET status = 'completed', updated_at_ms = -updated_at_ms WHERE updated_at_ms < 0",
        "left for the cancelled order",
    ),
    plant(
        6,
        oms::NAME,
        oms::MIGRATIONS,
        "UPDATE outbox SET sent_at_ms = NULL WHERE seq = (SELECT MIN(seq) FROM outbox)",
        "UPDATE outbox SET sent_at_ms = created_at_ms WHERE sent_at_ms IS NULL",
        "waits in the outbox of oms",
    ),
    plant(
        6,
        warehouse::NAME,
        warehouse::MIGRATIONS,
        "UPDATE inbox SET id = 'x' || id WHERE seq = (SELECT MIN(seq) FROM inbox WHERE source LIKE '%/oms')",
        "UPDATE inbox SET id = substr(id, 2) WHERE id LIKE 'x%'",
        "oms never committed it",
    ),
    plant(
        6,
        accounting::NAME,
        accounting::MIGRATIONS,
        r#"UPDATE outbox SET attributes = replace(attributes, '{', '{"dlconsumer":"oms","dlcode":"planted",')
            WHERE seq = (SELECT MIN(seq) FROM outbox)"#,
        r#"UPDATE outbox SET attributes = replace(attributes, '"dlconsumer":"oms","dlcode":"planted",', '')
            WHERE attributes LIKE '%planted%'"#,
        "ops does not have the letter",
    ),
    plant(
        6,
        ops::NAME,
        ops::MIGRATIONS,
        "INSERT INTO letters (letter_id, consumer, source, event_id, event_type, order_id, topic, state, code, fingerprint, reason,
            attempts, attempts_known, deaths, occurred_at_ms, first_died_at_ms, last_died_at_ms, replay_id, edit_id, attributes, data)
            SELECT 'planted', 'oms', 's', 'e', '', '', '', 'handled', '', '', '', 1, 1, 1, 32503680000000, 0, 0, '', '', '{}', '{}'",
        "DELETE FROM letters WHERE letter_id = 'planted'",
        "ops counts event e as handled by oms",
    ),
    plant(
        7,
        oms::NAME,
        oms::MIGRATIONS,
        "UPDATE outbox SET event_id = 'x' || event_id WHERE seq = (SELECT MIN(seq) FROM outbox)",
        "UPDATE outbox SET event_id = substr(event_id, 2) WHERE event_id LIKE 'x%'",
        "is no row in the warehouse",
    ),
];

impl Books {
    fn of_a_demo(database_url: Option<String>) -> Books {
        let books = Books { folder: tempfile::tempdir().expect("a folder"), database_url };
        let mut demo = books.boutique("demo");
        let output = demo.args(["--limit", ORDERS]).output().expect("boutique demo");
        let (said, logged) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}\n{logged}");
        books
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn boutique(&self, command: &str) -> Command {
        let mut boutique = Command::new(env!("CARGO_BIN_EXE_boutique"));
        boutique.env_remove("DATABASE_URL").current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        boutique.arg(command).arg("--data").arg(self.data());
        if let Some(url) = &self.database_url {
            boutique.env("DATABASE_URL", url);
        }
        boutique
    }

    /// The violations by invariant, and whether the exit code says that all hold.
    fn audit(&self) -> (Vec<(u64, Vec<String>)>, bool) {
        let output = self.boutique("audit").arg("--json").output().expect("boutique audit");
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("no report ({error}): {}", String::from_utf8_lossy(&output.stderr)));
        let reported = report["invariants"].as_array().expect("invariants");
        let invariants = reported.iter().map(|invariant| {
            let violations = invariant["violations"].as_array().expect("violations");
            let texts = violations.iter().map(|text| text.as_str().expect("a sentence").to_owned()).collect();
            (invariant["number"].as_u64().expect("a number"), texts)
        });
        (invariants.collect(), output.status.success())
    }

    async fn run(&self, service: &str, migrations: &[Migration], sql: &'static str) {
        let url = self.database_url.clone().unwrap_or_else(|| format!("sqlite:{}", self.data().display()));
        let store = Store::open(&Database::parse(&url, service).expect("an address"), migrations).expect("the books");
        let changed = store.write(0, move |tx| tx.execute(sql, &[])).await.expect("the SQL");
        assert_eq!(changed, 1, "{service}: {sql}");
        store.close().await;
    }

    fn assert_holds(&self, when: &str) {
        let (invariants, holds) = self.audit();
        let broken: Vec<_> = invariants.iter().filter(|(_, violations)| !violations.is_empty()).collect();
        assert!(holds && broken.is_empty(), "{when}: {broken:#?}");
        assert_eq!(invariants.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    }

    fn assert_broken(&self, invariant: u64, says: &str) {
        let (invariants, holds) = self.audit();
        assert!(!holds, "{invariant}, {says}: the audit found nothing");
        let named = invariants.iter().find(|(number, _)| *number == invariant).expect("the invariant");
        assert!(named.1.iter().any(|text| text.contains(says)), "{invariant}, {says}: {invariants:#?}");
    }
}

async fn every_planted_violation_is_found(books: Books) {
    books.assert_holds("a shop at rest");
    for Plant { invariant, service, migrations, breaks, mends, says } in PLANTS {
        books.run(service, migrations, breaks).await;
        books.assert_broken(*invariant, says);
        books.run(service, migrations, mends).await;
    }
    books.assert_holds("every violation is mended");
    add_a_row(&books.data());
    books.assert_broken(7, "never-said");
}

fn add_a_row(data: &Path) {
    let table = data.join("warehouse-tables/local.analytics.events_raw/0001.ndjson");
    let mut rows = std::fs::read_to_string(&table).expect("rows");
    rows.push_str(STRANGER);
    rows.push('\n');
    std::fs::write(&table, rows).expect("rows");
}

#[tokio::test]
async fn a_violation_of_each_invariant_is_found_on_sqlite() {
    every_planted_violation_is_found(Books::of_a_demo(None)).await;
}

#[tokio::test]
async fn a_violation_of_each_invariant_is_found_on_postgresql() {
    let Ok(url) = std::env::var("BOUTIQUE_TEST_POSTGRES") else {
        assert_ne!(std::env::var("BOUTIQUE_REQUIRE_POSTGRES").as_deref(), Ok("1"), "BOUTIQUE_TEST_POSTGRES is not set");
        return;
    };
    every_planted_violation_is_found(Books::of_a_demo(Some(url))).await;
}
