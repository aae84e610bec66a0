//! `boutique dlq show`

use std::collections::BTreeMap;

use clap::Args;
use serde_json::Value;

use super::ask::{Ops, get, time};
use super::list::short;
use crate::output;

/// Show one letter: payload (personal data masked), attributes, every attempt, and the order's timeline around it.
#[derive(Args)]
#[command(after_help = "Examples:\n  boutique dlq list --each --order ORDER\n  boutique dlq show LETTER")]
pub struct ShowArgs {
    #[command(flatten)]
    ops: Ops,
    /// Which letter
    letter: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: ShowArgs) -> anyhow::Result<()> {
    let shown: Value = get(&args.ops.peer()?, &format!("/letters/{}", args.letter)).await?;
    if args.json {
        return output::json(&shown);
    }
    let letter = &shown["letter"];
    println!("letter {} of {}: {}", args.letter, output::text(&letter["consumer"]), output::text(&letter["state"]));
    println!("{} of order {}", short(&letter["type"]), output::text(&letter["orderId"]));
    println!("{}: {}", output::text(&letter["code"]), output::text(&letter["reason"]));
    println!("\npayload, personal data masked:\n{}", serde_json::to_string_pretty(&shown["payload"])?);
    println!("\nattributes:");
    for (name, value) in shown["attributes"].as_object().into_iter().flatten() {
        println!("  {name} = {}", output::text(value));
    }
    attempts(&shown["attempts"]);
    edits(&shown["edits"]);
    timeline(&shown);
    Ok(())
}

fn attempts(attempts: &Value) {
    let Some(attempts) = attempts.as_array() else {
        println!("\nthe consumer could not be asked for its attempts");
        return;
    };
    let mut table = output::table(&["attempt", "at", "kind", "code", "reason"]);
    for attempt in attempts {
        table.add_row([
            attempt["number"].to_string(),
            time(&attempt["atMs"]),
            output::text(&attempt["kind"]),
            output::text(&attempt["code"]),
            output::text(&attempt["reason"]),
        ]);
    }
    println!("\n{table}");
}

fn edits(edits: &Value) {
    for edit in edits.as_array().into_iter().flatten() {
        let changes: Vec<String> = edit["changes"].as_array().into_iter().flatten().map(output::text).collect();
        println!(
            "edit {} by {}: {} ({}); {}",
            output::text(&edit["editId"]),
            output::text(&edit["madeBy"]),
            output::text(&edit["why"]),
            output::text(&edit["state"]),
            changes.join(", "),
        );
    }
}

/// What was said about the order, in time, with the letter's own event marked.
fn timeline(shown: &Value) {
    let mut said: BTreeMap<(i64, String), String> = BTreeMap::new();
    let mut silent = Vec::new();
    for part in shown["timeline"].as_array().into_iter().flatten() {
        let service = output::text(&part["service"]);
        if part["story"].is_null() {
            silent.push(service);
            continue;
        }
        for event in part["story"]["said"].as_array().into_iter().flatten() {
            let topic = output::text(&event["topic"]);
            let fate = topic.strip_suffix(".dead-letters").map(|consumer| format!("  DEAD LETTER of {consumer}"));
            let mark = if event["id"] == shown["letter"]["eventId"] { "▶" } else { " " };
            let line = format!(
                "{mark} {}  {service}: {}{}",
                time(&event["atMs"]),
                short(&event["eventType"]),
                fate.unwrap_or_default()
            );
            said.insert((event["atMs"].as_i64().unwrap_or(0), format!("{}{topic}", output::text(&event["id"]))), line);
        }
    }
    println!("the order's timeline:");
    said.into_values().for_each(|line| println!("  {line}"));
    if !silent.is_empty() {
        println!("  could not be asked: {}", silent.join(", "));
    }
}
