//! What people and programs see: tables, JSON, progress, the log.

use std::io::IsTerminal;
use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, Table};
use events::personal;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging to standard error. `RUST_LOG` sets what is logged, as in `warn,broker=debug`; `BOUTIQUE_LOG=json` makes it one JSON
/// object a line.
pub fn start_log(is_server: bool) {
    let default = if is_server { LevelFilter::INFO } else { LevelFilter::ERROR };
    let told = std::env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let filter = told.unwrap_or_else(|| Targets::new().with_default(default));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    if std::env::var("BOUTIQUE_LOG").is_ok_and(|form| form == "json") {
        registry.with(lines.json()).init();
    } else {
        registry.with(lines.with_target(false).with_ansi(std::io::stderr().is_terminal())).init();
    }
}

/// Prints a value as JSON.
///
/// # Errors
/// When the value has no JSON form.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A table with a head, without lines.
pub fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(head.iter().map(Cell::new));
    table
}

/// A progress bar on standard error; silent when nobody watches.
pub fn progress(what: &'static str, total: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64).with_message(what);
    let style = ProgressStyle::with_template("{msg:22} {wide_bar} {pos:>6}/{len} {per_sec:>9} {eta:>4}")
        .expect("the template is a constant that works");
    bar.set_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Hides every customer who is not sealed, wherever in an answer they are named.
pub fn mask_customers(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(id) if name == "customerId" => *id = personal::customer(id).to_owned(),
                    field => mask_customers(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask_customers),
        _ => {}
    }
}

/// A JSON text without its quotes; empty for anything else.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An amount of money in JSON as people write it; empty for anything else.
pub fn money(value: &Value) -> String {
    serde_json::from_value::<events::Money>(value.clone()).map(|money| money.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_customer_is_shown_sealed_or_not_at_all() {
        let sealed = "S.00112233445566778899aabbccddeeff";
        let mut answer =
            json!({ "orders": [{ "customerId": "john-doe" }, { "customerId": sealed }], "next": "john-doe" });
        mask_customers(&mut answer);
        let expected =
            json!({ "orders": [{ "customerId": personal::MASKED }, { "customerId": sealed }], "next": "john-doe" });
        assert_eq!(answer, expected);
    }
}
