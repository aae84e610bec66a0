//! `boutique explain`

use clap::Args;
use runtime::Code;
use serde_json::json;

use crate::output;

/// What a failure's code means: what happened, whether it is tried again, what to do about it.
///
/// Codes stand in the attempts of an event, in dead letters and in logs. Without a code, all are listed.
#[derive(Args)]
#[command(after_help = "Examples:\n  boutique explain\n  boutique explain illegal_state\n  boutique explain --json")]
pub struct ExplainArgs {
    /// Which code
    code: Option<Code>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let told = |code: Code| json!({ "code": code.as_str(), "kind": code.kind(), "summary": code.summary(), "page": code.page() });
    match (args.code, args.json) {
        (Some(code), true) => output::json(&told(code)),
        (Some(code), false) => {
            print!("{}", code.page());
            Ok(())
        }
        (None, true) => output::json(&Code::ALL.iter().copied().map(told).collect::<Vec<_>>()),
        (None, false) => {
            let mut table = output::table(&["code", "kind", "what happened"]);
            for code in Code::ALL {
                table.add_row([code.as_str(), code.kind().as_str(), code.summary()]);
            }
            println!("{table}");
            Ok(())
        }
    }
}
