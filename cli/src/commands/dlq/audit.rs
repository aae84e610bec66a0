//! `boutique dlq audit`

use clap::Args;
use serde_json::{Value, json};

use super::ask::{Ops, get, time};
use crate::output;

/// Entries asked for at a time. An entry may name a thousand letters, some 40 KB; an answer must stay below the 4 MB a client reads.
const PAGE: usize = 50;

/// Who did what to dead letters, when and why, oldest first.
#[derive(Args)]
#[command(after_help = "Examples:\n  boutique dlq audit\n  boutique dlq audit --replay REPLAY")]
pub struct AuditArgs {
    #[command(flatten)]
    ops: Ops,
    /// Only about this letter
    #[arg(long, value_name = "LETTER", default_value = "", hide_default_value = true)]
    letter: String,
    /// Only about this replay
    #[arg(long, value_name = "REPLAY", default_value = "", hide_default_value = true)]
    replay: String,
    /// The newest so many
    #[arg(long, default_value_t = 50, value_name = "N")]
    last: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: AuditArgs) -> anyhow::Result<()> {
    let ops = args.ops.peer()?;
    let (mut entries, mut before): (Vec<Value>, i64) = (Vec::new(), i64::MAX);
    while entries.len() < args.last {
        let limit = PAGE.min(args.last - entries.len());
        let about = format!("letter={}&replay={}", args.letter, args.replay);
        let page: Value = get(&ops, &format!("/audit?{about}&newest=true&limit={limit}&after={before}")).await?;
        entries.extend(page["entries"].as_array().into_iter().flatten().cloned());
        match page["next"].as_i64() {
            Some(next) => before = next,
            None => break,
        }
    }
    entries.reverse();
    if args.json {
        return output::json(&json!({ "entries": entries }));
    }
    let mut table = output::table(&["at", "who", "did", "why", "what"]);
    for entry in &entries {
        let about = [&entry["letterId"], &entry["replayId"]].map(output::text).concat();
        table.add_row([
            time(&entry["atMs"]),
            output::text(&entry["by"]),
            output::text(&entry["action"]),
            output::text(&entry["why"]),
            format!("{about} {}", entry["what"]).trim().to_owned(),
        ]);
    }
    println!("{table}");
    Ok(())
}
