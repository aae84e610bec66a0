//! What a delivery costs on this machine: `cargo run --release -p store --example measure [DATABASE] [CALLERS] [JOBS]`.
//!
//! A delivery is a claim, two changed rows and one row in the outbox; a second job marks that row as sent. `DATABASE` is
//! `sqlite:DIR` or `postgres://…` (default: a temporary folder).
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a stopwatch reads the clock")]

use std::error::Error;
use std::time::Instant;

use store::{Database, Migration, Store, StoreError, inbox, outbox, params};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "facts",
    sql: "CREATE TABLE facts (order_id TEXT NOT NULL, fact TEXT NOT NULL, data TEXT NOT NULL,
              PRIMARY KEY (order_id, fact));
          CREATE TABLE orders (order_id TEXT PRIMARY KEY, facts BIGINT NOT NULL)",
}];
/// The kernel counts a process's time in hundredths of a second (`man 5 proc`, utime and stime).
const TICKS_PER_SECOND: f64 = 100.0;
const DATA: &str = r#"{"orderId":"0190b6a0-0000-7000-8000-000000000000","lines":[{"productId":"66VCHSJNUP","quantity":3}],"total":{"currencyCode":"USD","units":37,"nanos":470000000}}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = tempfile::tempdir()?;
    let url = arguments.next().unwrap_or_else(|| format!("sqlite:{}", folder.path().display()));
    let callers: u32 = arguments.next().map_or(Ok(64), |text| text.parse())?;
    let jobs: u32 = arguments.next().map_or(Ok(20_000), |text| text.parse())?;
    let store = Store::open(&Database::parse(&url, "measure")?, MIGRATIONS)?;

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (began, cpu_before) = (Instant::now(), cpu_seconds()?);
    runtime.block_on(async {
        let tasks: Vec<_> =
            (0..callers).map(|caller| tokio::spawn(call(store.clone(), caller, jobs / callers))).collect();
        for task in tasks {
            task.await??;
        }
        store.close().await;
        Ok::<_, Box<dyn Error>>(())
    })?;
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds()? - cpu_before);
    let deliveries = f64::from(jobs / callers * callers);
    println!(
        "{callers} callers: {:.0} deliveries/s, {:.1} µs CPU each, of this process",
        deliveries / seconds,
        cpu / deliveries * 1e6
    );
    Ok(())
}

async fn call(store: Store, caller: u32, jobs: u32) -> Result<(), StoreError> {
    for number in 0..jobs {
        let seq = store.write(i64::from(number), move |tx| deliver(tx, caller, number)).await?;
        store.write::<_, StoreError>(i64::from(number), move |tx| outbox::mark_sent(tx, &[seq])).await?;
    }
    Ok(())
}

fn deliver(tx: &mut store::Tx<'_>, caller: u32, number: u32) -> Result<i64, StoreError> {
    let order = format!("{caller:08}-{:08}", number / 8);
    let id = format!("{caller:08}-0000-7000-8000-{number:012}");
    let subject = format!("orders/{order}");
    tx.lock(&order)?;
    let source = "//onlineboutique.com/checkout";
    let receipt = inbox::Receipt { consumer: "oms.follow", source, id: &id, event_type: "fact", subject: &subject };
    inbox::claim(tx, &receipt)?;
    tx.execute("INSERT INTO facts (order_id, fact, data) VALUES (?1, ?2, ?3)", params![&order, &id, DATA])?;
    tx.execute(
        "INSERT INTO orders (order_id, facts) VALUES (?1, 1) ON CONFLICT (order_id) DO UPDATE SET facts = orders.facts + 1",
        params![&order],
    )?;
    let row = outbox::NewRow {
        topic: "order-events",
        key: &order,
        attributes: r#"{"ce-id":"0190b6a0-0000-7000-8000-000000000000","ce-source":"//onlineboutique.com/oms"}"#,
        data: DATA,
        event_id: &id,
        event_type: "com.onlineboutique.order.confirmed.v1",
        subject: &subject,
    };
    outbox::push(tx, &row)
}

/// The time this process has spent on the processors.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |index: usize| {
        fields.get(index).ok_or("a short /proc/self/stat")?.parse::<f64>().map_err(Box::<dyn Error>::from)
    };
    Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}
