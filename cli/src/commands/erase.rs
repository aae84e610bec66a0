//! `boutique erase`

mod list;
mod report;
mod steps;

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use events::CustomerId;
use events::personal::Person;

use self::report::Report;
use self::steps::{Found, Parts};
use super::dlq::Who;
use crate::audit::Books;
use crate::erasure::{self, House};
use crate::output;

/// Erase a customer: destroy the key their data is encrypted with, take them out of free text, and prove that nothing readable is left.
///
/// Orders that have not ended keep it from happening, unless --force: they go on to their end without anybody knowing whose they are. Meanwhile the customer
/// cannot order. What was done is kept as a record without anything personal; a run that was cut off is finished by running it again.
///
/// Exit code 0 when the customer is erased and a look at every database and file found nothing, 1 when something is left to do.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct EraseArgs {
    /// Whom: the id they know, or the sealed one
    #[arg(required_unless_present = "list")]
    customer: Option<CustomerId>,
    /// List what was erased, and what was begun
    #[arg(long, conflicts_with = "customer")]
    list: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Erase though orders have not ended
    #[arg(long)]
    force: bool,
    /// Call off what was begun and not carried out
    #[arg(long)]
    call_off: bool,
    /// For a look after the key is destroyed, when nobody but you knows it: their name
    #[arg(long, requires = "surname")]
    name: Option<String>,
    /// Their surname
    #[arg(long, requires = "name")]
    surname: Option<String>,
    #[command(flatten)]
    who: Who,
    /// Data folder of the running shop
    #[arg(long, value_name = "DIR", default_value = "data", env = "BOUTIQUE_DATA")]
    data: PathBuf,
    /// Databases: a PostgreSQL URL; the SQLite files in the data folder without one
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  boutique erase john-doe
  boutique erase john-doe --yes --by 'data protection'
  boutique erase --list
  boutique erase john-doe --name John --surname Doe    look once more, after the key is destroyed";

pub(super) async fn run(args: EraseArgs) -> anyhow::Result<ExitCode> {
    let parts = Parts::of(&args.data)?;
    let Some(customer) = args.customer.clone() else {
        return list::print(&parts, args.json).await.map(|()| ExitCode::SUCCESS);
    };
    let report = match parts.find(&customer).await? {
        Found::Erased(sealed_id) => parts.finish(&sealed_id).await?,
        Found::Nobody => look_again(&args, &parts, customer).await?,
        Found::Here { sealed_id, person } if args.call_off => {
            parts.call_off(&sealed_id).await?;
            if !args.json {
                println!("called off: {} may order again", person.id);
            }
            return Ok(ExitCode::SUCCESS);
        }
        Found::Here { sealed_id, person } => {
            if !args.yes && !confirmed(&person)? {
                bail!("nothing was done");
            }
            erase(&args, &parts, &sealed_id, person).await?
        }
    };
    if args.json {
        output::json(&report)?;
    } else {
        print!("{}", report.render());
    }
    Ok(if report.is_done() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn erase(args: &EraseArgs, parts: &Parts, sealed_id: &str, person: Person) -> anyhow::Result<Report> {
    let by = args.who.name()?;
    parts.begin(sealed_id, &by).await?;
    let open_orders = parts.open_orders(sealed_id).await?;
    if !open_orders.is_empty() && !args.force {
        return Ok(Report::Waits { sealed_id: sealed_id.to_owned(), open_orders });
    }
    // Free text first: once the key is destroyed, nobody knows what to look for.
    let texts = parts.take_out(&person).await?;
    let erasure = parts.destroy(sealed_id).await?;
    let places = erasure::look(&house(args), person).await?;
    let erasure = parts.note(&erasure, &places).await?;
    Ok(Report::Erased { erasure, texts, places, open_orders })
}

/// Whoever the CRM does not know may have been erased. What they were called is looked for all the same, and with their name also taken out
/// of what was written since.
async fn look_again(args: &EraseArgs, parts: &Parts, customer: CustomerId) -> anyhow::Result<Report> {
    let name = args.name.clone().zip(args.surname.clone());
    let person = Person { id: customer.as_str().to_owned(), name };
    let texts = if person.name.is_some() { parts.take_out(&person).await? } else { Vec::new() };
    let places = erasure::look(&house(args), person).await?;
    Ok(Report::Unknown { by_name: args.name.is_some(), texts, places })
}

fn house(args: &EraseArgs) -> House {
    let database_url = args.database_url.clone().unwrap_or_else(|| format!("sqlite:{}", args.data.display()));
    House { books: Books { database_url, data: args.data.clone() }, data: args.data.clone() }
}

fn confirmed(person: &Person) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("this cannot be undone: run it at a terminal, or say --yes");
    }
    print!("{} will be erased, and nothing brings them back. Type their id to go on: ", person.id);
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == person.id)
}
