//! `boutique bench`: six figures of a running shop, and the rulers they are held against.
//!
//! The shop runs in one process, the rulers in one each, the load in this one. Ruler and shop are measured in turns.

mod broker;
mod child;
mod figures;
mod http;
mod load;
mod numbers;
mod orders;
mod problems;
mod procfs;
mod progress;
mod report;
mod rest;
mod ruler;
mod run;
mod shop;
mod times;
mod verdict;
mod work;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand};
use runtime::clock;

use self::child::interrupted;
use self::load::{Until, drive};
use self::progress::Progress;
use self::report::{Machine, Report};
use self::ruler::{Ruler, RulerKind};
use self::run::{Run, Settings};
use self::shop::Shop;
use self::work::WorkFolder;
use crate::addresses::Addresses;

pub use self::ruler::RulerArgs;

/// Requests each server answers before anything is measured.
const WARM_UP: u64 = 300;

/// Measure the shop: throughput, latency, CPU, memory and start, each beside what is within reach and what is aimed at.
///
/// Starts a shop of its own on fresh data, fills it with invented customers and products, and drives it from this process. The rulers
/// (the least work an order or an event can cost on this machine) run in the same minutes, in turns with the shop, so the ratios hold on
/// noisy machines. Prints a table and writes everything to a JSON file.
///
/// Exit code 0 also when a figure is below its mark; another one when requests failed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct BenchArgs {
    #[command(subcommand)]
    other: Option<Other>,
    /// Measure the shop that runs on this data folder, instead of a fresh one. It must have no other traffic and no shipping delays
    /// (`up --dispatch-delay-ms 0 --deliver-delay-ms 0`)
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the fresh data goes for the time of the run; a folder on a real disk
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir(), conflicts_with = "data")]
    work_dir: PathBuf,
    /// A short run, to see that everything works; its figures are rough
    #[arg(long)]
    quick: bool,
    /// Figures to measure: 1 orders, 2 events, 3 latency, 4 CPU, 5 memory, 6 start. 2, 4 and 5 are measured together
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 2, 3, 4, 5, 6],
          value_parser = clap::value_parser!(u8).range(1..=6))]
    figures: Vec<u8>,
    /// Turns of ruler and shop [default: 3, quick: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: Option<u32>,
    /// Connections of the load, one request under way on each
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    connections: u16,
    /// Length of one turn [default: 8, quick: 2]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: Option<u64>,
    /// Orders of a batch for events and CPU [default: 3000, quick: 500]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    orders: Option<u64>,
    /// Orders of a batch that may be open at once
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..))]
    open: u16,
    /// Seed of the orders: the same seed gives the same orders
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// File for everything that was measured; - is standard output, and the table goes to standard error
    #[arg(long, value_name = "FILE", default_value = "bench.json")]
    json: PathBuf,
}

/// What can be measured instead of the shop.
#[derive(Debug, Subcommand)]
enum Other {
    Broker(broker::BrokerArgs),
}

const EXAMPLES: &str = "\
Examples:
  boutique bench                         all figures, about four minutes
  boutique bench --quick                 does everything work? under a minute
  boutique bench --figures 1 --rounds 9  one figure, surely
  boutique bench --data data             the shop that `boutique up` runs there
  boutique bench broker --help           the broker alone, or beside Google's emulator";

impl BenchArgs {
    fn settings(&self) -> Settings {
        let pick = |quick, whole| if self.quick { quick } else { whole };
        Settings {
            rounds: self.rounds.unwrap_or(if self.quick { 1 } else { 3 }),
            connections: usize::from(self.connections),
            round: Duration::from_secs(self.seconds.unwrap_or(pick(2, 8))),
            batch: self.orders.unwrap_or(pick(500, 3_000)),
            open: usize::from(self.open),
            samples: pick(50, 200),
            starts: if self.quick { 5 } else { 11 },
            idle: Duration::from_secs(pick(1, 5)),
            seed: self.seed,
        }
    }

    fn wants(&self, figures: &[u8]) -> bool {
        figures.iter().any(|figure| self.figures.contains(figure))
    }
}

/// Measures and reports.
///
/// # Errors
/// When the shop or a ruler cannot be started, or requests failed; the report is written in the second case.
pub async fn run(mut args: BenchArgs) -> anyhow::Result<()> {
    if let Some(Other::Broker(args)) = args.other.take() {
        return broker::run(args).await;
    }
    let work = match &args.data {
        // Beside the shop's data, so that rulers and shop write to the same disk.
        Some(data) => Addresses::load(data).and_then(|_| WorkFolder::below(data))?,
        None => WorkFolder::below(&args.work_dir)?,
    };
    // An interrupted measurement drops its processes, and dropped they are killed; the folder goes after them.
    let report = tokio::select! {
        report = measure(&args, work.path()) => report?,
        () = interrupted() => bail!("interrupted"),
    };
    let text = report.text();
    if args.json.as_os_str() == "-" {
        eprint!("{text}")
    } else {
        print!("{text}")
    }
    report.save(&args.json)?;
    if report.problems.count > 0 {
        let first = report.problems.first.unwrap_or_default();
        bail!("{} requests failed, so the figures are in doubt; the first: {first}", report.problems.count);
    }
    Ok(())
}

/// Serves one ruler.
///
/// # Errors
/// When its folder cannot be written or no port is free.
pub async fn run_ruler(args: RulerArgs) -> anyhow::Result<()> {
    ruler::run(args).await
}

async fn measure(args: &BenchArgs, work: &Path) -> anyhow::Result<Report> {
    let settings = args.settings();
    let progress = Progress::new(stages(args, settings.rounds));
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION"),
        build: if cfg!(debug_assertions) { "debug" } else { "release" },
        began_at_ms: clock::now_ms(),
        machine: machine(work),
        settings: settings.clone(),
        orders: None,
        events: None,
        latency: None,
        memory: None,
        start: None,
        rows: Vec::new(),
        notes: Vec::new(),
        problems: problems::Problems::default(),
    };
    progress.stage("starting the shop");
    let shop = match &args.data {
        Some(data) => Shop::attach(data).await?,
        None => Shop::start(work).await?,
    };
    tokio::time::sleep(settings.idle).await;
    let memory = figures::memory::Watch::begin(shop.pid())?;
    let mut run = Run::begin(settings, &shop, progress).await?;
    prepare(&mut run, &shop).await?;
    if args.wants(&[3]) {
        report.latency = Some(figures::latency::measure(&mut run, &shop).await?);
    }
    // Events before orders: the fewer orders the OMS holds, the less it costs to ask it which have ended.
    if args.wants(&[2, 4, 5]) {
        let ruler = warm(&mut run, RulerKind::Inbox, work).await?;
        report.events = Some(figures::events::measure(&mut run, &shop, &ruler).await?);
        ruler.stop().await;
    }
    if args.wants(&[1]) {
        let ruler = warm(&mut run, RulerKind::Ord, work).await?;
        report.orders = Some(figures::orders::measure(&mut run, &ruler).await?);
        ruler.stop().await;
    }
    if args.wants(&[5]) {
        report.memory = Some(memory.end()?);
    }
    if args.wants(&[6]) {
        report.start = Some(figures::start::measure(&mut run, &shop, work).await?);
    }
    run.progress.stage("stopping the shop");
    if !shop.is_own() {
        report
            .notes
            .push("the shop ran before: its idle memory is that of its past, and its data may be large".to_owned());
    }
    if !shop.stop().await {
        report.notes.push("the shop did not stop when asked and was killed".to_owned());
    }
    run.progress.done();
    report.problems = run.problems;
    report.sum_up();
    Ok(report)
}

/// Fills the shop and lets it answer some orders.
async fn prepare(run: &mut Run, shop: &Shop) -> anyhow::Result<()> {
    run.progress.stage("filling the shop");
    orders::fill(&shop.peer("crm")?, &shop.peer("inventory")?).await?;
    let tally = drive(run.orders(Until::Sent(WARM_UP))).await?;
    if tally.answered == 0 {
        bail!("checkout confirmed none of {WARM_UP} orders: {}", tally.problems.first.unwrap_or_default());
    }
    run.rest.placed(tally.answered);
    run.problems.add(tally.problems);
    run.come_to_rest().await
}

async fn warm(run: &mut Run, kind: RulerKind, work: &Path) -> anyhow::Result<Ruler> {
    let ruler = Ruler::start(kind, work).await?;
    run.rule(&ruler, Until::Sent(WARM_UP)).await?;
    Ok(ruler)
}

fn machine(work: &Path) -> Machine {
    Machine {
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        processor: procfs::processor(),
        file_system: procfs::file_system(work),
    }
}

/// How often the progress line changes.
fn stages(args: &BenchArgs, rounds: u32) -> u64 {
    let rounds = u64::from(rounds);
    let parts = [(&[1u8][..], 3 * rounds), (&[2, 4, 5], 2 * rounds + 1), (&[3], 1), (&[6], 1)];
    3 + parts.iter().filter(|(figures, _)| args.wants(figures)).map(|(_, stages)| stages).sum::<u64>()
}
