//! `boutique dlq edit`, `approve`, `archive`.

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};

use super::ask::{Ops, Which, Who, post};
use crate::output;

/// Make a patched copy of a letter. It is replayed instead of the letter once a second person has approved it, unless it is withdrawn.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  boutique dlq edit LETTER --patch '{\"quantity\": 2}' --why 'quantity was sent as text'\n  boutique dlq edit LETTER --patch-file mend.json --why '…'\n  boutique dlq edit LETTER --withdraw --why 'the letter was right'"
)]
pub struct EditArgs {
    #[command(flatten)]
    ops: Ops,
    #[command(flatten)]
    who: Who,
    /// Which letter
    letter: String,
    /// A JSON merge patch (RFC 7386) on the payload: fields to set, null to take one away
    #[arg(long, value_name = "JSON", conflicts_with = "patch_file", required_unless_present_any = ["patch_file", "withdraw"])]
    patch: Option<String>,
    /// The same from a file
    #[arg(long, value_name = "FILE")]
    patch_file: Option<std::path::PathBuf>,
    /// Take the letter's edit back: it is replayed as it came
    #[arg(long, conflicts_with_all = ["patch", "patch_file"])]
    withdraw: bool,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Approve somebody else's edit.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  boutique dlq show LETTER\n  boutique dlq approve EDIT --by grace --why 'it agrees with the order'"
)]
pub struct ApproveArgs {
    #[command(flatten)]
    ops: Ops,
    #[command(flatten)]
    who: Who,
    /// Which edit
    edit: String,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Put letters away that are not to be replayed.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  boutique dlq archive LETTER --why 'said again by checkout'\n  boutique dlq archive --order ORDER --why 'a test order'"
)]
pub struct ArchiveArgs {
    #[command(flatten)]
    ops: Ops,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    who: Who,
    /// Letters by name, instead of a filter
    letters: Vec<String>,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: EditArgs) -> anyhow::Result<()> {
    if args.withdraw {
        return withdraw(args).await;
    }
    let text = match (&args.patch, &args.patch_file) {
        (Some(text), _) => text.clone(),
        (None, Some(path)) => {
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
        }
        (None, None) => bail!("say --patch or --patch-file"),
    };
    let patch: Value = serde_json::from_str(&text).context("the patch is not JSON")?;
    let body = json!({ "patch": patch, "by": args.who.name()?, "why": args.why });
    let edit: Value = post(&args.ops.peer()?, &format!("/letters/{}/edits", args.letter), &body).await?;
    if args.json {
        return output::json(&edit);
    }
    let changes: Vec<String> = edit["changes"].as_array().into_iter().flatten().map(output::text).collect();
    let id = output::text(&edit["editId"]);
    println!("edit {id}: {}", changes.join(", "));
    println!("somebody else approves it with `boutique dlq approve {id} --by NAME --why '…'`; then plan it");
    Ok(())
}

async fn withdraw(args: EditArgs) -> anyhow::Result<()> {
    let body = json!({ "by": args.who.name()?, "why": args.why });
    let edit: Value = post(&args.ops.peer()?, &format!("/letters/{}/edits/withdraw", args.letter), &body).await?;
    if args.json {
        return output::json(&edit);
    }
    println!("edit {} is withdrawn; plan the letter as it came", output::text(&edit["editId"]));
    Ok(())
}

pub(super) async fn approve(args: ApproveArgs) -> anyhow::Result<()> {
    let body = json!({ "by": args.who.name()?, "why": args.why });
    let edit: Value = post(&args.ops.peer()?, &format!("/edits/{}/approve", args.edit), &body).await?;
    if args.json {
        return output::json(&edit);
    }
    println!("approved; plan it with `boutique dlq plan {}`", output::text(&edit["letterId"]));
    Ok(())
}

pub(super) async fn archive(args: ArchiveArgs) -> anyhow::Result<()> {
    let filter = args.which.filter(None, args.letters);
    if filter == ops::Filter::default() {
        bail!("which letters? name them, or say at least one of --consumer, --type, --order, --code, --fingerprint");
    }
    let body = json!({ "filter": filter, "by": args.who.name()?, "why": args.why });
    let done: Value = post(&args.ops.peer()?, "/letters/archive", &body).await?;
    if args.json {
        return output::json(&done);
    }
    println!("{} letters are archived", done["archived"]);
    Ok(())
}
