//! `boutique demo`: the whole thing in a minute.

mod cut_fraud;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use runtime::clock::Stopwatch;
use serde_json::json;
use testkit::Relay;

use self::cut_fraud::{Cut, Stage};
use super::import::{self, Pace, Placed};
use crate::addresses::Addresses;
use crate::api;
use crate::audit::{self, Report};
use crate::catalogue::Files;
use crate::invented::Inventor;
use crate::output;
use crate::rest::{self, Census};
use crate::stack::{Plan, Stack};

/// Show the whole choreography: start a shop on a fresh folder, place baskets as orders, wait for rest, audit the books.
///
/// Customers and stock are invented from a seed so that some orders fail for stock, for risk and for billing. The exit code is 0 only if every order ended
/// and the audit holds.
#[derive(Args)]
pub struct DemoArgs {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    pace: Pace,
    /// Keep everything in this folder, which must be empty or absent; without it a temporary folder is used and removed
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Databases: a PostgreSQL URL (one schema per service); SQLite files in the data folder without one
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Seconds to wait for orders to come to rest after the last one was placed
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    patience: u64,
    /// Let nothing come back from the fraud engine while a part of the baskets is placed, and show that it did no harm
    #[arg(long)]
    cut_fraud: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What the demo did, for its summary.
struct Outcome {
    placed: Placed,
    cut: Option<Cut>,
    /// Orders the fraud engine flagged late and the demo's reviewer refused.
    refused: usize,
    census: Census,
    report: Report,
    placing: Duration,
    resting: Duration,
}

pub(super) async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let scratch;
    let data = match &args.data {
        Some(folder) => {
            must_be_fresh(folder)?;
            folder.clone()
        }
        None => {
            scratch = tempfile::tempdir().context("no room for a temporary folder")?;
            scratch.path().to_owned()
        }
    };
    let mut plan = Plan {
        addresses: Addresses::plan("127.0.0.1", true)?,
        data,
        database_url: args.database_url.clone(),
        dispatch_delay_ms: 0,
        deliver_delay_ms: 0,
        push_window: super::up::PUSH_WINDOW,
        fraud_engine_url: None,
    };
    let relay = if args.cut_fraud { Some(cut_fraud::relay(&mut plan).await?) } else { None };
    let stack = Stack::start(&plan).await?;
    let outcome = play(&args, &plan, relay.as_ref()).await;
    stack.stop().await;
    let outcome = outcome?;
    if args.json {
        print_json(&outcome)?;
    } else {
        print(&outcome);
    }
    let unharmed = outcome.cut.as_ref().is_none_or(Cut::holds);
    let holds = outcome.report.holds() && outcome.census.open() == 0 && unharmed;
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn play(args: &DemoArgs, plan: &Plan, relay: Option<&Relay>) -> anyhow::Result<Outcome> {
    let (products, baskets) = args.files.read()?;
    let inventor = Inventor { seed: args.pace.seed };
    import::fill(&plan.data, &plan.addresses, inventor, &products, &baskets).await?;
    let gateway = api::peer(&plan.data, &plan.addresses, crate::addresses::GATEWAY)?;
    let watch = Stopwatch::start();
    let (concurrency, patience) = (args.pace.concurrency, Duration::from_secs(args.patience));
    let (placed, mut cut) = match relay {
        None => (import::place(&gateway, inventor, &baskets, concurrency, &plan.data).await?, None),
        Some(relay) => {
            let stage = Stage { plan, gateway: &gateway, inventor, concurrency, patience };
            let (placed, cut) = cut_fraud::place(&stage, relay, &baskets).await?;
            (placed, Some(cut))
        }
    };
    let placing = watch.elapsed();
    let mut census = rest::wait(&plan.data, &plan.addresses, placed.confirmed, patience).await?;
    // An order whose risk was unknown at first may be flagged later; then it waits for a person, and here that is the demo.
    let refused = rest::refuse_flagged(&plan.data, &plan.addresses).await?;
    if refused > 0 {
        census = rest::wait(&plan.data, &plan.addresses, placed.confirmed, patience).await?;
    }
    if let Some(cut) = &mut cut {
        cut.settle(plan).await?;
    }
    let resting = watch.elapsed();
    let report = audit::run(&plan.books()).await?;
    Ok(Outcome { placed, cut, refused, census, report, placing, resting })
}

fn must_be_fresh(folder: &Path) -> anyhow::Result<()> {
    match std::fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => {
            bail!("{} is not empty; to go on with a shop use `boutique up --data {0}`", folder.display())
        }
        Ok(false) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot look into {}", folder.display())),
    }
}

fn print(outcome: &Outcome) {
    let mut table = output::table(&["orders", "how many"]);
    table.add_row(["confirmed at checkout (201)".to_owned(), outcome.placed.confirmed.to_string()]);
    for (code, count) in &outcome.placed.refused {
        table.add_row([format!("refused at checkout: {code}"), count.to_string()]);
    }
    if outcome.refused > 0 {
        table.add_row(["flagged late, refused by review".to_owned(), outcome.refused.to_string()]);
    }
    for (status, count) in outcome.census.iter() {
        table.add_row([format!("ended {status}"), count.to_string()]);
    }
    println!("{table}");
    let (placing, resting) = (outcome.placing.as_secs_f64(), outcome.resting.as_secs_f64());
    println!("placed in {placing:.1} s, all at rest after {resting:.1} s\n");
    if let Some(cut) = &outcome.cut {
        println!("{}\n{}\n", cut.render(), cut.verdict());
    }
    print!("{}", audit::render(&outcome.report));
}

fn print_json(outcome: &Outcome) -> anyhow::Result<()> {
    output::json(&json!({
        "placed": outcome.placed,
        "cutFraud": outcome.cut,
        "refusedByReview": outcome.refused,
        "statuses": outcome.census,
        "placingMs": outcome.placing.as_millis(),
        "restingMs": outcome.resting.as_millis(),
        "audit": outcome.report,
    }))
}
