//! `boutique dlq list`

use clap::Args;
use serde_json::Value;

use super::ask::{Ops, Which, get, query, time};
use crate::output;

/// List dead letters by cause, or one by one.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  boutique dlq list\n  boutique dlq list --consumer accounting --each\n  boutique dlq list --state handled --json"
)]
pub struct ListArgs {
    #[command(flatten)]
    ops: Ops,
    #[command(flatten)]
    which: Which,
    /// Only letters in this state
    #[arg(long, value_parser = ["open", "replaying", "handled", "archived"])]
    state: Option<String>,
    /// Each letter by itself
    #[arg(long)]
    each: bool,
    /// At most this many letters, with --each
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: ListArgs) -> anyhow::Result<()> {
    let ops = args.ops.peer()?;
    let query = query(&args.which.filter(args.state.as_deref(), Vec::new()))?;
    let path = if args.each { format!("/letters{query}limit={}", args.limit) } else { format!("/groups{query}") };
    let found: Value = get(&ops, &path).await?;
    if args.json {
        return output::json(&found);
    }
    if args.each {
        letters(&found)
    } else {
        groups(&found)
    }
    Ok(())
}

fn groups(found: &Value) {
    let groups = found["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    if groups.is_empty() {
        println!("no dead letters");
        return;
    }
    let mut table =
        output::table(&["cause", "consumer", "code", "letters", "open", "oldest", "newest", "reason of one, types"]);
    for group in groups {
        let types: Vec<String> = group["types"].as_array().into_iter().flatten().map(short).collect();
        table.add_row([
            output::text(&group["fingerprint"]),
            output::text(&group["consumer"]),
            output::text(&group["code"]),
            group["count"].to_string(),
            group["states"]["open"].as_u64().unwrap_or(0).to_string(),
            time(&group["oldestAtMs"]),
            time(&group["newestAtMs"]),
            format!("{}\n{}", output::text(&group["reason"]), types.join(", ")),
        ]);
    }
    println!("{table}");
    println!(
        "plan what a replay would do with `boutique dlq plan --fingerprint CAUSE`; `boutique explain CODE` says what to do"
    );
}

fn letters(found: &Value) {
    let mut table = output::table(&["letter", "state", "consumer", "type", "order", "code", "deaths", "last died"]);
    for letter in found["letters"].as_array().into_iter().flatten() {
        table.add_row([
            output::text(&letter["letterId"]),
            output::text(&letter["state"]),
            output::text(&letter["consumer"]),
            short(&letter["type"]),
            output::text(&letter["orderId"]),
            output::text(&letter["code"]),
            letter["deaths"].to_string(),
            time(&letter["lastDiedAtMs"]),
        ]);
    }
    println!("{table}");
    if !found["next"].is_null() {
        println!("there are more; ask for them with --limit, or choose fewer");
    }
}

/// A type without what all have in common.
pub(super) fn short(event_type: &Value) -> String {
    let text = output::text(event_type);
    text.strip_prefix(events::topology::TYPE_PREFIX).unwrap_or(&text).to_owned()
}
