//! `boutique audit`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::addresses::Addresses;
use crate::audit::{self, Books};
use crate::{output, rest};

/// Check that the books add up: the invariants of ARCHITECTURE.md, on the services' databases, while the shop runs or after.
///
/// Exit code 0 when all hold. Orders that have not ended are listed with the event they miss.
#[derive(Args)]
pub struct AuditArgs {
    /// Data folder of the shop
    #[arg(long, value_name = "DIR", default_value = "data", env = "BOUTIQUE_DATA")]
    data: PathBuf,
    /// Databases: a PostgreSQL URL; the SQLite files in the data folder without one
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// First wait for every order of the running shop to end, at most this many seconds
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: AuditArgs) -> anyhow::Result<ExitCode> {
    let database_url = args.database_url.unwrap_or_else(|| format!("sqlite:{}", args.data.display()));
    let books = Books { database_url, data: args.data };
    if let Some(seconds) = args.wait {
        let answered = books.answered()?.len();
        rest::wait(&books.data, &Addresses::load(&books.data)?, answered, Duration::from_secs(seconds)).await?;
    }
    let report = audit::run(&books).await?;
    if args.json {
        output::json(&report)?;
    } else {
        print!("{}", audit::render(&report));
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
