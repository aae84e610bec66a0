//! `boutique dlq`: dead letters, through the ops service.

mod ask;
mod audit;
mod edit;
mod list;
mod plan;
mod replay;
mod show;

pub(super) use ask::{Who, time};

use std::process::ExitCode;

use clap::Subcommand;

/// Dead letters: what died and why, and how to bring it back.
///
/// `list` groups them by cause, `show` tells all about one, `plan` foretells what a replay would do, `replay` does it: to the consumer that failed and to no
/// other, slowly at first, and it stops itself when too much fails again. Whoever changes something says why; `audit` tells who did what.
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum DlqCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Plan(plan::PlanArgs),
    Replay(replay::ReplayArgs),
    Edit(edit::EditArgs),
    Approve(edit::ApproveArgs),
    Archive(edit::ArchiveArgs),
    Audit(audit::AuditArgs),
}

const EXAMPLES: &str = "\
Examples:
  boutique dlq list
  boutique dlq plan --consumer accounting --code illegal_state
  boutique dlq replay --plan PLAN --why 'accounting 1.4.3 is out'
  boutique dlq replay --resume REPLAY --why 'mended at last'";

pub(super) async fn run(command: DlqCommand) -> anyhow::Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        DlqCommand::List(args) => list::run(args).await.map(done),
        DlqCommand::Show(args) => show::run(args).await.map(done),
        DlqCommand::Plan(args) => plan::run(args).await.map(done),
        DlqCommand::Replay(args) => replay::run(args).await,
        DlqCommand::Edit(args) => edit::run(args).await.map(done),
        DlqCommand::Approve(args) => edit::approve(args).await.map(done),
        DlqCommand::Archive(args) => edit::archive(args).await.map(done),
        DlqCommand::Audit(args) => audit::run(args).await.map(done),
    }
}
