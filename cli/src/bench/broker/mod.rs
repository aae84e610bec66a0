//! `boutique bench broker`: the broker, by itself or beside another Pub/Sub endpoint.
//!
//! Every side is driven by the same client and pushes to the same kind of endpoint; the sides run in processes of their own and are measured in
//! turns.

mod arrivals;
mod client;
mod emulator;
mod endpoint;
mod figures;
mod kind;
mod message;
mod quantity;
mod report;
mod rows;
mod run;
mod side;
mod table;
mod turn;

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use runtime::clock;

use self::kind::{Against, Kind};
use self::report::Report;
use self::rows::rows;
use self::run::{MEMORY, Run, START};
use self::turn::Settings;
use super::child::interrupted;
use super::procfs;
use super::report::save;
use super::work::WorkFolder;

/// Measure the broker, by itself or beside Google's emulator.
///
/// Starts a broker of its own on an empty folder, and the other side too if it is `emulator`; drives both with the same gRPC client and
/// messages of 1 KB, in turns, and prints both with their ratio and the target. Messages that are pushed or pulled are counted one by one.
///
/// Exit code 0 also when a target is missed; another one when a message was lost or a call failed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BrokerArgs {
    /// The other side: `emulator` starts Google's (Java and the Cloud SDK's component must be there); an address takes what listens there,
    /// on this machine, for it pushes to 127.0.0.1. Start and memory of the latter are left out
    #[arg(long, value_name = "emulator|HOST:PORT")]
    against: Option<Against>,
    /// Where the brokers' data goes for the time of the run; a folder on a real disk
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    work_dir: PathBuf,
    /// A short run, to see that everything works and nothing is lost; nothing is judged
    #[arg(long)]
    quick: bool,
    /// Figures to measure: 1 start, 2 single publishes, 3 batches, 4 push, 5 push to a slow handler, 6 push latency, 7 streaming pull,
    /// 8 memory
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 2, 3, 4, 5, 6, 7, 8],
          value_parser = clap::value_parser!(u8).range(1..=8))]
    figures: Vec<u8>,
    /// Turns of each side [default: 3, quick: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: Option<u32>,
    /// Length of one turn [default: 5, quick: 1]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: Option<u64>,
    /// Messages held for the memory [default: 200000, quick: 5000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    messages: Option<u64>,
    /// File for everything that was measured; - is standard output, and the table goes to standard error
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Print the table as Markdown
    #[arg(long)]
    markdown: bool,
}

const EXAMPLES: &str = "\
Examples:
  boutique bench broker                              this broker alone, about two minutes
  boutique bench broker --against emulator           beside Google's emulator, five to eight
  boutique bench broker --against localhost:8085     beside one that runs already
  boutique bench broker --figures 4,6 --rounds 9     two figures, surely
  boutique bench broker --quick                      does everything work? some seconds";

impl BrokerArgs {
    fn settings(&self) -> Settings {
        let pick = |quick, whole| if self.quick { quick } else { whole };
        Settings {
            rounds: self.rounds.unwrap_or(if self.quick { 1 } else { 3 }),
            seconds: self.seconds.unwrap_or(pick(1, 5)),
            warm_up: pick(100, 500),
            most: pick(5_000, 200_000),
            messages: self.messages.unwrap_or(pick(5_000, 200_000)),
            // A slow side would take minutes to give back what it took in seconds.
            count_all: self.quick,
        }
    }
}

/// Measures and reports.
///
/// # Errors
/// When a side cannot be started, a call failed, or a message was lost; the report is written in the last case.
pub async fn run(args: BrokerArgs) -> anyhow::Result<()> {
    let work = WorkFolder::below(&args.work_dir)?;
    // An interrupted measurement drops its processes, and dropped they are killed; the folder goes after them.
    let report = tokio::select! {
        report = measure(&args, work.path()) => report?,
        () = interrupted() => bail!("interrupted"),
    };
    let text = report.text(args.markdown);
    match &args.json {
        Some(json) if json.as_os_str() == "-" => eprint!("{text}"),
        _ => print!("{text}"),
    }
    if let Some(json) = &args.json {
        save(&report, json)?;
    }
    if report.problems.count > 0 {
        bail!("messages were lost: {}", report.problems.first.unwrap_or_default());
    }
    Ok(())
}

async fn measure(args: &BrokerArgs, work: &Path) -> anyhow::Result<Report> {
    let mut kinds = vec![Kind::Ours];
    kinds.extend(args.against.as_ref().map(Kind::of).transpose()?);
    let (began_at_ms, load_before) = (clock::now_ms(), procfs::load_average());
    let figures: Vec<u8> = (START..=MEMORY).filter(|figure| args.figures.contains(figure)).collect();
    let run = Run::new(args.settings(), kinds, &figures, work).whole(&figures).await?;
    let Run { settings, kinds, books: [ours, theirs], notes, problems, .. } = run;
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION"),
        build: if cfg!(debug_assertions) { "debug" } else { "release" },
        began_at_ms,
        machine: super::machine(work),
        load_before,
        settings,
        message: message::description(),
        against: kinds.get(1).map(Kind::name),
        rows: rows(&ours, &theirs, settings.messages, !args.quick),
        notes,
        problems,
    };
    report.add_notes(&ours, &theirs, matches!(kinds.get(1), Some(Kind::Emulator(_))));
    Ok(report)
}
