//! `boutique up`

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};

use crate::addresses::{Addresses, GATEWAY};
use crate::output;
use crate::roster;
use crate::stack::{Plan, Stack};

/// Run the whole shop on this machine: broker, gateway and every service, each on its own port.
///
/// Data lasts under the data folder; a shop that was stopped or killed goes on where it was. Ctrl-C stops it in order.
#[derive(Args)]
pub struct UpArgs {
    /// Folder for everything that lasts
    #[arg(long, value_name = "DIR", default_value = "data", env = "BOUTIQUE_DATA")]
    pub data: PathBuf,
    /// Address to listen on: one of this machine only, for the shop's development key is good nowhere else
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Fixed ports (8080 and up), or whatever is free
    #[arg(long, value_enum, default_value_t = Ports::Fixed)]
    pub ports: Ports,
    /// Databases: a PostgreSQL URL (one schema per service); SQLite files in the data folder without one
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Milliseconds between a shipment's creation and its dispatch
    #[arg(long, default_value_t = 1_000, value_name = "MS")]
    pub dispatch_delay_ms: u64,
    /// Milliseconds between a shipment's dispatch and its delivery
    #[arg(long, default_value_t = 1_000, value_name = "MS")]
    pub deliver_delay_ms: u64,
    /// Deliveries under way per push subscription: more finish a backlog sooner, fewer leave more of the machine to checkout
    #[arg(long, default_value_t = PUSH_WINDOW, value_name = "N")]
    pub push_window: usize,
    /// Print addresses as JSON
    #[arg(long)]
    pub json: bool,
    /// Print nothing and log errors only
    #[arg(long)]
    pub quiet: bool,
}

/// Deliveries under way per push subscription unless told otherwise.
pub const PUSH_WINDOW: usize = 24;

/// How ports are chosen.
#[derive(Clone, Copy, ValueEnum)]
pub enum Ports {
    /// 8080 for the gateway and up from there
    Fixed,
    /// Free ports, written to addresses.json in the data folder
    Auto,
}

pub(super) async fn run(args: UpArgs) -> anyhow::Result<()> {
    let host: std::net::IpAddr = args.host.parse().with_context(|| format!("{} is not an IP address", args.host))?;
    ensure!(host.is_loopback(), "--host {host} can be reached from other machines; `boutique serve` is for those");
    let plan = Plan {
        addresses: Addresses::plan(&args.host, matches!(args.ports, Ports::Auto))?,
        data: args.data,
        database_url: args.database_url,
        dispatch_delay_ms: args.dispatch_delay_ms,
        deliver_delay_ms: args.deliver_delay_ms,
        push_window: args.push_window,
        fraud_engine_url: None,
    };
    let stack = Stack::start(&plan).await?;
    if args.json {
        output::json(&plan.addresses.iter().collect::<std::collections::BTreeMap<_, _>>())?;
    } else if !args.quiet {
        print_addresses(&plan)?;
    }
    super::serve::asked_to_stop().await?;
    if !args.quiet {
        eprintln!("stopping: finishing what was accepted");
    }
    stack.stop().await;
    Ok(())
}

fn print_addresses(plan: &Plan) -> anyhow::Result<()> {
    let mut table = output::table(&["part", "address", "what it is for"]);
    for part in roster::PARTS {
        table.add_row([part.name, plan.addresses.url(part.name)?, part.purpose]);
    }
    println!("{table}");
    println!("data in {}; Ctrl-C stops; fill the shop with `boutique import`", plan.data.display());
    let (gateway, data) = (plan.addresses.url(GATEWAY)?, plan.data.display());
    println!("call it as a customer (what there is: {gateway}/docs):");
    println!("  curl -H \"$(boutique token --data {data} --header --subject HH-2385)\" '{gateway}/v1/catalog?q=milk'");
    Ok(())
}
