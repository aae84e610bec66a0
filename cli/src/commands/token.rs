//! `boutique token`

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use identity::development::Bearer;
use identity::limits::LIFETIME_S;
use runtime::doors::{LOCAL_DOMAIN, audience};
use runtime::{Caller, clock};

use crate::addresses::GATEWAY;
use crate::identities;

/// Who a token names when nobody is named.
const SUBJECT: &str = "developer";
/// What a token allows when nothing is said: all that clients may.
const SCOPE: &str = "orders:read orders:write catalog:read";

/// Sign a token for a client of the local shop, with the development key in its data folder.
///
/// Nobody but the services of that shop believes it. Elsewhere the issuer that the shop is configured for signs tokens.
#[derive(Args)]
pub struct TokenArgs {
    /// Data folder of the local shop
    #[arg(long, value_name = "DIR", default_value = "data", env = "BOUTIQUE_DATA")]
    data: PathBuf,
    /// Who the client is
    #[arg(long, value_name = "NAME", default_value = SUBJECT)]
    subject: String,
    /// What the client may do, orders:read, orders:write, catalog:read, orders:any or metrics:read; give it once for each. The first three unless told
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Which customer the client is
    #[arg(long, value_name = "CUSTOMER")]
    customer: Option<String>,
    /// For whom the token is meant: the gateway, unless said otherwise
    #[arg(long, value_name = "AUDIENCE")]
    audience: Option<String>,
    /// Name a service or the operator instead of a client, as services do when they call each other
    #[arg(long = "as", value_name = "CALLER", value_parser = caller, requires = "service", conflicts_with_all = ["subject", "customer"])]
    caller: Option<Caller>,
    /// The service that is to be called
    #[arg(long = "for", value_name = "SERVICE", id = "service", conflicts_with = "audience")]
    service: Option<String>,
    /// Seconds it is good for, a day at most
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    ttl: i64,
    /// Print it as a header, for curl -H "$(boutique token --header)"
    #[arg(long)]
    header: bool,
}

fn caller(name: &str) -> Result<Caller, String> {
    let names = || Caller::ALL.map(Caller::name).join(", ");
    Caller::named(name).ok_or_else(|| format!("callers are {}", names()))
}

pub(super) fn run(args: &TokenArgs) -> anyhow::Result<()> {
    ensure!((1..=LIFETIME_S).contains(&args.ttl), "--ttl must be 1 to {LIFETIME_S} seconds");
    let key = identities::key(&args.data)?;
    let scope = if args.scope.is_empty() { SCOPE.to_owned() } else { args.scope.join(" ") };
    let for_whom = audience(args.service.as_deref().unwrap_or(GATEWAY));
    let audience = args.audience.clone().unwrap_or(for_whom);
    let email = args.caller.map(|caller| format!("{caller}@{LOCAL_DOMAIN}"));
    let bearer = Bearer {
        subject: email.as_deref().unwrap_or(&args.subject),
        audience: &audience,
        scope: Some(&scope),
        customer_id: args.customer.as_deref(),
        email: email.as_deref(),
    };
    let token = key.sign(&bearer, clock::now_ms() / 1_000, args.ttl)?;
    println!("{}{token}", if args.header { "Authorization: Bearer " } else { "" });
    Ok(())
}
