//! `boutique erase`

mod list;
mod report;
mod steps;

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use clap::Args;
use events::CustomerId;
use events::personal::{Person, is_sealed};
use runtime::erase::Erased;
use serde_json::Value;

use self::report::{Report, again};
use self::steps::{Found, Parts};
use super::dlq::Who;
use crate::audit::Books;
use crate::erasure::{self, House, Place};
use crate::output;

/// Erase a customer: destroy the key their data is encrypted with, take them out of free text, and prove that nothing readable is left.
///
/// Orders that have not ended keep it from happening, unless --force: they go on to their end without anybody knowing whose they are. Meanwhile the customer
/// cannot order. What was done is kept as a record without anything personal; a run that was cut off is finished by running it again, with
/// their name once the key is destroyed.
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
    /// With the sealed one, after the key is destroyed, when nobody but you knows it: the id they knew
    #[arg(long, value_name = "ID", requires = "name")]
    id: Option<CustomerId>,
    /// After the key is destroyed: their name
    #[arg(long, requires = "surname")]
    name: Option<String>,
    /// After the key is destroyed: their surname
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
  boutique erase john-doe --name John --surname Doe    look once more, after the key is destroyed
  boutique erase S.00112233445566778899aabbccddeeff --id john-doe --name John --surname Doe";

pub(super) async fn run(args: EraseArgs) -> anyhow::Result<ExitCode> {
    let parts = Parts::of(&args.data)?;
    let Some(customer) = args.customer.clone() else {
        return list::print(&parts, args.json).await.map(|()| ExitCode::SUCCESS);
    };
    let found = parts.find(&customer).await?;
    if args.call_off {
        return call_off(&args, &parts, found).await.map(|()| ExitCode::SUCCESS);
    }
    ensure!(args.id.is_none() || is_sealed(customer.as_str()), "--id goes with the sealed id, as `--list` has it");
    let report = match found {
        Found::Erased(sealed_id) => go_on(&args, &parts, &sealed_id, args.id.clone()).await?,
        Found::Nobody => match parts.erased_as(&customer, &args.who.name()?).await? {
            Some(sealed_id) => go_on(&args, &parts, &sealed_id, Some(customer)).await?,
            None => look_again(&args, &parts, customer).await?,
        },
        Found::Here { sealed_id, person } => {
            if !args.yes && !confirmed("will be erased, and nothing brings them back", &person)? {
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

async fn call_off(args: &EraseArgs, parts: &Parts, found: Found) -> anyhow::Result<()> {
    let (Found::Here { sealed_id, .. } | Found::Erased(sealed_id)) = &found else {
        bail!("the CRM knows nobody by this id: there is nothing to call off");
    };
    // The CRM refuses it once the key is destroyed.
    parts.call_off(sealed_id).await?;
    if !args.json {
        println!("called off: {sealed_id} may order again");
    }
    Ok(())
}

async fn erase(args: &EraseArgs, parts: &Parts, sealed_id: &str, person: Person) -> anyhow::Result<Report> {
    let by = args.who.name()?;
    // What cannot be looked at is to be found out while there still is a key.
    erasure::ready(&house(args)).await?;
    parts.begin(sealed_id, &by).await?;
    let open_orders = parts.open_orders(sealed_id).await?;
    if !open_orders.is_empty() && !args.force {
        return Ok(Report::Waits { sealed_id: sealed_id.to_owned(), open_orders });
    }
    // Free text first: once the key is destroyed, nobody knows what to look for.
    let texts = parts.take_out(&person).await?;
    let proved = prove(args, parts, sealed_id, person).await;
    let (erasure, places) = proved.with_context(|| format!("it is not finished: `{}` goes on", again(sealed_id)))?;
    Ok(Report::Erased { erasure, texts, places, open_orders })
}

/// Destroys the key, or makes sure that it is; looks for what is left; has the record keep what was found.
async fn prove(
    args: &EraseArgs,
    parts: &Parts,
    sealed_id: &str,
    person: Person,
) -> anyhow::Result<(Value, Vec<Place>)> {
    let erasure = parts.destroy(sealed_id).await?;
    let places = erasure::look(&house(args), person).await?;
    Ok((parts.note(&erasure, &places).await?, places))
}

/// Goes on with an erasure whose key is destroyed: as far as it goes without knowing what the customer was called, or to its end.
async fn go_on(args: &EraseArgs, parts: &Parts, sealed_id: &str, id: Option<CustomerId>) -> anyhow::Result<Report> {
    let erasure = parts.destroy(sealed_id).await?;
    let Some(name) = args.name.clone().zip(args.surname.clone()) else { return Ok(Report::Before { erasure }) };
    let id = id.context("nobody knows their id any more: say --id as well")?;
    if let Found::Here { .. } = parts.find(&id).await? {
        bail!("{id} is a customer: what names them cannot be told from what named the one who was erased");
    }
    let person = Person { id: id.to_string(), name: Some(name) };
    let texts = take_out(args, parts, &person).await?;
    let (erasure, places) = prove(args, parts, sealed_id, person).await?;
    Ok(Report::Erased { erasure, texts, places, open_orders: Vec::new() })
}

/// Whoever the CRM does not know may have been erased. What they were called is looked for all the same, and with their name also taken out
/// of what was written since.
async fn look_again(args: &EraseArgs, parts: &Parts, customer: CustomerId) -> anyhow::Result<Report> {
    let name = args.name.clone().zip(args.surname.clone());
    let person = Person { id: customer.as_str().to_owned(), name };
    let texts = if person.name.is_some() { take_out(args, parts, &person).await? } else { Vec::new() };
    let places = erasure::look(&house(args), person).await?;
    Ok(Report::Unknown { by_name: args.name.is_some(), texts, places })
}

/// Takes somebody out of what people wrote whom only the caller knows: a slip of theirs would change what is said of another.
async fn take_out(args: &EraseArgs, parts: &Parts, person: &Person) -> anyhow::Result<Vec<(&'static str, Erased)>> {
    let (name, surname) = person.name.as_ref().context("nobody knows their name")?;
    let question = format!("and {name} {surname} will be taken out of every text, whoever is meant there");
    if !args.yes && !confirmed(&question, person)? {
        bail!("no text was changed");
    }
    parts.take_out(person).await
}

fn house(args: &EraseArgs) -> House {
    let database_url = args.database_url.clone().unwrap_or_else(|| format!("sqlite:{}", args.data.display()));
    House { books: Books { database_url, data: args.data.clone() }, data: args.data.clone() }
}

fn confirmed(what: &str, person: &Person) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("this cannot be undone: run it at a terminal, or say --yes");
    }
    print!("{} {what}. Type their id to go on: ", person.id);
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == person.id)
}
