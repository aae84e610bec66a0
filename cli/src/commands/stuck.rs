//! `boutique stuck`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::addresses::Addresses;
use crate::{output, stuck};

/// The exit code when orders are stuck. 1 is a failure of the command, 2 a wrong command line.
const STUCK: u8 = 3;

/// List orders that wait too long: the missing event, who owes it, whether it is a dead letter, and the command that mends it.
///
/// Exit code 0 when no order is stuck, 3 when some are.
#[derive(Args)]
pub struct StuckArgs {
    /// Data folder of the running shop; its addresses are found there
    #[arg(long, value_name = "DIR", default_value = "data", env = "BOUTIQUE_DATA")]
    data: PathBuf,
    /// Every open order and what it waits for, also those that are in time
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: StuckArgs) -> anyhow::Result<ExitCode> {
    let report = stuck::gather(&args.data, &Addresses::load(&args.data)?, args.all).await?;
    if args.json {
        output::json(&report)?;
    } else {
        print!("{}", stuck::render(&report));
    }
    Ok(if report.stuck == 0 { ExitCode::SUCCESS } else { ExitCode::from(STUCK) })
}
