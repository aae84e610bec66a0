//! The command line: one module a command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bench;

mod audit;
mod broker;
mod completions;
mod demo;
mod dlq;
mod explain;
mod import;
mod order;
mod serve;
mod sim;
mod stuck;
mod token;
mod topology;
mod up;

pub use import::ANSWERED;

/// Online Boutique's order backend: an event-driven choreography on Google Cloud Pub/Sub.
///
/// `boutique demo` shows the whole thing in a minute. `boutique up` runs it on this machine: broker, gateway and every service, each on its own port, data
/// under ./data. `boutique serve NAME` runs one service, configured by its environment, for containers.
#[derive(Parser)]
#[command(name = "boutique", version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  boutique demo                          place 2,000 real baskets, wait for rest, audit the books
  boutique up                            run everything here; Ctrl-C stops it in order
  boutique import                        fill a running shop with customers and products
  boutique order place --customer HH-2385 CJ883404:1 CJ887474:2
  boutique order show <ORDER>            the order's timeline as a tree of events by cause
  boutique order watch <ORDER>           its progress as it happens
  boutique order return <ORDER> CJ883404:1 --reason does-not-fit
  boutique dlq list                      what died, grouped by cause; plan and replay it from there
  boutique explain illegal_state         what a failure's code means and what to do about it
  boutique stuck                         which orders wait too long, for what, and what mends them
  boutique audit                         does everything add up?
  boutique sim --seeds 0..1000           a thousand runs in which everything goes wrong that can";

#[derive(Subcommand)]
enum Command {
    Up(up::UpArgs),
    Serve(serve::ServeArgs),
    Broker(broker::BrokerArgs),
    Demo(demo::DemoArgs),
    Import(import::ImportArgs),
    #[command(subcommand)]
    Order(order::OrderCommand),
    Stuck(stuck::StuckArgs),
    Audit(audit::AuditArgs),
    Sim(sim::SimArgs),
    #[command(subcommand)]
    Dlq(dlq::DlqCommand),
    Explain(explain::ExplainArgs),
    Token(token::TokenArgs),
    Topology(topology::TopologyArgs),
    Bench(bench::BenchArgs),
    Completions(completions::CompletionsArgs),
    #[command(hide = true)]
    Ruler(bench::RulerArgs),
}

impl Cli {
    /// Servers log; tools print their result.
    #[must_use]
    pub fn is_server(&self) -> bool {
        match &self.command {
            Command::Up(args) => !args.quiet,
            Command::Serve(_) | Command::Broker(_) => true,
            _ => false,
        }
    }

    /// Runs the command.
    ///
    /// # Errors
    /// With what went wrong and what to do about it.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let done = |()| ExitCode::SUCCESS;
        match self.command {
            Command::Up(args) => up::run(args).await.map(done),
            Command::Serve(args) => serve::run(args).await.map(done),
            Command::Broker(args) => broker::run(args).await.map(done),
            Command::Demo(args) => demo::run(args).await,
            Command::Import(args) => import::run(args).await.map(done),
            Command::Order(command) => order::run(command).await.map(done),
            Command::Stuck(args) => stuck::run(args).await,
            Command::Audit(args) => audit::run(args).await,
            Command::Sim(args) => sim::run(args).await,
            Command::Dlq(command) => dlq::run(command).await,
            Command::Explain(args) => explain::run(&args).map(done),
            Command::Token(args) => token::run(&args).map(done),
            Command::Topology(args) => topology::run(&args).map(done),
            Command::Bench(args) => bench::run(args).await.map(done),
            Command::Completions(args) => {
                completions::run(&args);
                Ok(ExitCode::SUCCESS)
            }
            Command::Ruler(args) => bench::run_ruler(args).await.map(done),
        }
    }
}
