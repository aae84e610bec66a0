//! `boutique dlq plan`

use clap::Args;
use serde_json::{Value, json};

use super::ask::{Ops, Which, Who, post};
use crate::output;

/// Foretell what a replay would do, by a dry run in the consumer itself. Changes nothing; the plan's hash is what `replay` takes.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  boutique dlq plan --consumer accounting --code illegal_state\n  boutique dlq plan --fingerprint 1f0c9a7d2b3e\n  boutique dlq plan LETTER LETTER"
)]
pub struct PlanArgs {
    #[command(flatten)]
    ops: Ops,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    who: Who,
    /// Letters by name, instead of a filter
    letters: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: PlanArgs) -> anyhow::Result<()> {
    let filter = args.which.filter(None, args.letters);
    let wanted = json!({ "filter": filter, "by": args.who.name()? });
    let plan: Value = post(&args.ops.peer()?, "/plans?limit=500", &wanted).await?;
    if args.json {
        return output::json(&plan);
    }
    let mut table = output::table(&["prediction", "letters", "why, of one"]);
    for (prediction, count) in plan["predictions"].as_object().into_iter().flatten() {
        let one = plan["items"].as_array().into_iter().flatten().find(|item| item["prediction"] == *prediction);
        let why = one.map_or(String::new(), |item| match item["reason"].as_str() {
            Some(reason) => format!("{}: {reason}", output::text(&item["code"])),
            None => String::new(),
        });
        table.add_row([prediction.clone(), count.to_string(), why]);
    }
    println!("{table}");
    let hash = output::text(&plan["plan"]);
    let applied = plan["predictions"]["applied"].as_u64().unwrap_or(0);
    println!("plan {hash} for {}, good for an hour", output::text(&plan["consumer"]));
    if applied > 0 {
        println!("bring {applied} back with `boutique dlq replay --plan {hash} --why '…'`");
    } else {
        println!("none would be applied as things are");
    }
    Ok(())
}
