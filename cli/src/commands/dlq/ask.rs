//! What the commands share: where ops is, which letters, who and why.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use clap::Args;
use events::Timestamp;
use http::{Method, StatusCode};
use ops::Filter;
use runtime::{Peer, Problem};
use serde_json::Value;

use crate::addresses::Addresses;
use crate::api;

/// A plan of many letters asks their consumer about each of them.
const PATIENCE: Duration = Duration::from_secs(600);

/// Which shop's dead letters.
#[derive(Debug, Clone, Args)]
pub struct Ops {
    /// Data folder of the running shop; its addresses are found there
    #[arg(long, value_name = "DIR", default_value = "data", env = "BOUTIQUE_DATA")]
    data: PathBuf,
    /// URL of the ops service, instead of the one found in the data folder
    #[arg(long, value_name = "URL", env = "BOUTIQUE_OPS_URL")]
    ops: Option<String>,
}

impl Ops {
    /// The ops service.
    ///
    /// # Errors
    /// When no shop runs in the data folder and no URL was given.
    pub fn peer(&self) -> anyhow::Result<Peer> {
        let url = match &self.ops {
            Some(url) => url.clone(),
            None => Addresses::load(&self.data)?.url(ops::NAME)?.to_owned(),
        };
        api::peer_at(&self.data, ops::NAME, &url, PATIENCE)
    }
}

/// Which letters; every part that is given must fit.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// Whose dead letters
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// Wire type, as in order.confirmed.v1
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Of one order
    #[arg(long, value_name = "ORDER")]
    order: Option<String>,
    /// Why they died; `boutique explain` lists the codes
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Of one cause, as `boutique dlq list` names it
    #[arg(long, value_name = "FINGERPRINT")]
    fingerprint: Option<String>,
    /// Died at or after this time, as in 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Died before this time
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
}

impl Which {
    /// The filter it stands for, in `state` if one is given.
    pub fn filter(&self, state: Option<&str>, letters: Vec<String>) -> Filter {
        Filter {
            consumer: self.consumer.clone(),
            event_type: self.event_type.clone(),
            order: self.order.clone(),
            code: self.code.clone(),
            fingerprint: self.fingerprint.clone(),
            state: state.map(ToOwned::to_owned),
            from: self.from,
            to: self.to,
            letters,
        }
    }
}

/// The filter as a query, beginning with `?`.
///
/// # Errors
/// When it cannot be written as one.
pub fn query(filter: &Filter) -> anyhow::Result<String> {
    let parts = serde_json::to_value(filter)?;
    let mut query = String::from("?");
    for (name, value) in parts.as_object().into_iter().flatten() {
        if let Some(value) = value.as_str() {
            query.push_str(&format!("{name}={}&", escape(value)));
        }
    }
    Ok(query)
}

fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Who does it.
#[derive(Debug, Clone, Args)]
pub struct Who {
    /// Who does it, for the audit trail; your login name without it
    #[arg(long, value_name = "NAME", env = "BOUTIQUE_OPERATOR")]
    by: Option<String>,
}

impl Who {
    /// The person's name.
    ///
    /// # Errors
    /// When nobody is named and the login has no name.
    pub fn name(&self) -> anyhow::Result<String> {
        let login = || ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        match self.by.clone().or_else(login).filter(|name| !name.trim().is_empty()) {
            Some(name) => Ok(name),
            None => bail!("who does it? say --by NAME, or set BOUTIQUE_OPERATOR"),
        }
    }
}

/// `GET`, once: whoever sits at the terminal can ask again.
///
/// # Errors
/// The refusal in the service's words, or that it cannot be reached.
pub async fn get(ops: &Peer, path: &str) -> anyhow::Result<Value> {
    answer(ops.raw(Method::GET, path, Bytes::new()).await?)
}

/// `POST`, once.
///
/// # Errors
/// As [`get`].
pub async fn post(ops: &Peer, path: &str, body: &Value) -> anyhow::Result<Value> {
    answer(ops.raw(Method::POST, path, body.to_string().into()).await?)
}

fn answer((status, body): (StatusCode, Bytes)) -> anyhow::Result<Value> {
    if status.is_success() {
        return serde_json::from_slice(&body).context("ops answered something that is not JSON");
    }
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => bail!("{} ({})", problem.detail, problem.code),
        Err(_) => bail!("ops answered {status}"),
    }
}

/// A time as people read it.
pub fn time(at_ms: &Value) -> String {
    let at = at_ms.as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map(|time| time.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_travels_as_a_query() {
        let filter = Filter {
            consumer: Some("oms".to_owned()),
            order: Some("a&b=c".to_owned()),
            from: "2026-01-31T12:00:00Z".parse().ok(),
            ..Filter::default()
        };
        assert_eq!(query(&filter).unwrap(), "?consumer=oms&from=2026-01-31T12:00:00Z&order=a%26b%3Dc&");
    }
}
