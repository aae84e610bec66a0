//! `boutique erase --list`

use serde_json::{Value, json};

use super::steps::Parts;
use crate::commands::dlq::time;
use crate::output;

/// Pages of records: more than a shop has customers.
const MAX_PAGES: u32 = 100_000;

/// Prints every record.
pub async fn print(parts: &Parts, as_json: bool) -> anyhow::Result<()> {
    let (mut all, mut after): (Vec<Value>, String) = (Vec::new(), "0".to_owned());
    for _ in 0..MAX_PAGES {
        let page = parts.records(&after).await?;
        all.extend(page["erasures"].as_array().into_iter().flatten().cloned());
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    if as_json {
        return output::json(&json!({ "erasures": all }));
    }
    let mut table =
        output::table(&["sealed id", "asked by", "begun", "erased", "looked for what is left", "not clean"]);
    for record in &all {
        table.add_row([
            output::text(&record["sealedId"]),
            output::text(&record["askedBy"]),
            time(&record["begunAtMs"]),
            time(&record["erasedAtMs"]),
            time(&record["provedAtMs"]),
            record["findings"].as_u64().map(|count| count.to_string()).unwrap_or_default(),
        ]);
    }
    println!("{table}");
    Ok(())
}
