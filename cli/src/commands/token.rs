//! `boutique token`

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use identity::development::Bearer;
use identity::limits::LIFETIME_S;
use runtime::clock;
use runtime::doors::audience;

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
    /// What the client may do; give it once for each scope
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Which customer the client is
    #[arg(long, value_name = "CUSTOMER")]
    customer: Option<String>,
    /// For whom the token is meant: the gateway, unless said otherwise
    #[arg(long, value_name = "AUDIENCE")]
    audience: Option<String>,
    /// Seconds it is good for, a day at most
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    ttl: i64,
    /// Print it as a header, for curl -H \"$(boutique token --header)\"
    #[arg(long)]
    header: bool,
}

pub(super) fn run(args: &TokenArgs) -> anyhow::Result<()> {
    ensure!((1..=LIFETIME_S).contains(&args.ttl), "--ttl must be 1 to {LIFETIME_S} seconds");
    let key = identities::key(&args.data)?;
    let scope = if args.scope.is_empty() { SCOPE.to_owned() } else { args.scope.join(" ") };
    let audience = args.audience.clone().unwrap_or_else(|| audience(GATEWAY));
    let bearer = Bearer {
        subject: &args.subject,
        audience: &audience,
        scope: Some(&scope),
        customer_id: args.customer.as_deref(),
        email: None,
    };
    let token = key.sign(&bearer, clock::now_ms() / 1_000, args.ttl)?;
    println!("{}{token}", if args.header { "Authorization: Bearer " } else { "" });
    Ok(())
}
