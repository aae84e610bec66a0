//! Asks OMS for the orders and every service for its part of their stories.

use std::path::Path;

use ::audit::has_ended;
use events::{Timestamp, topology};
use futures::{StreamExt, TryStreamExt};
use runtime::{CallError, Peer, Story, clock};
use serde::Deserialize;

use super::diagnose::diagnose;
use super::{OpenOrder, Report, Stories};
use crate::addresses::Addresses;
use crate::rest::Census;
use crate::{api, output};

/// Orders on a page.
const PAGE: u32 = 500;
/// Orders whose stories are asked for at once; each asks every service.
const AT_ONCE: usize = 8;

/// How long OMS may hear no minute before it is said that nobody watches the deadlines: five minutes.
const MOST_SILENCE_MS: i64 = 5 * 60 * 1_000;

/// When OMS heard a minute last.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Heard {
    #[serde(default)]
    minute_heard_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Page {
    orders: Vec<OpenOrder>,
    next: Option<String>,
}

/// Every stuck order, or every open one when `all`, with what each waits for.
///
/// # Errors
/// When OMS cannot be asked. Another service that cannot be asked is named in the report.
pub async fn gather(data: &Path, addresses: &Addresses, all: bool) -> anyhow::Result<Report> {
    let oms = api::peer(data, addresses, oms::NAME)?;
    let tellers = topology::consumers().into_iter().map(|name| Ok((name, api::peer(data, addresses, name)?)));
    let tellers = tellers.collect::<anyhow::Result<Vec<(&'static str, Peer)>>>()?;
    let orders = if all { every_open(&oms).await? } else { listed(&oms, "/orders/stuck?").await? };
    let bar = output::progress("orders looked into", orders.len());
    let look = |order: OpenOrder| {
        let (tellers, bar) = (&tellers, &bar);
        async move {
            let stuck = order.waits.iter().any(|wait| wait.stuck_since.is_some());
            let stories = if stuck { stories(tellers, &order.order_id).await } else { Stories::new() };
            bar.inc(1);
            diagnose(order, &stories)
        }
    };
    let orders: Vec<_> = futures::stream::iter(orders).map(look).buffered(AT_ONCE).collect().await;
    bar.finish_and_clear();
    let Heard { minute_heard_at } = oms.get("/orders/stuck?limit=1").await?;
    let unwatched = is_long_ago(minute_heard_at, clock::now());
    Ok(Report { stuck: orders.iter().filter(|order| order.stuck).count(), minute_heard_at, unwatched, orders })
}

/// Whether no minute came for so long that deadlines pass unseen.
fn is_long_ago(heard: Option<Timestamp>, now: Timestamp) -> bool {
    heard.is_none_or(|heard| now.as_millisecond().saturating_sub(heard.as_millisecond()) > MOST_SILENCE_MS)
}

async fn every_open(oms: &Peer) -> Result<Vec<OpenOrder>, CallError> {
    let census: Census = oms.get("/orders/summary").await?;
    let open: Vec<String> =
        census.iter().map(|(status, _)| status.to_owned()).filter(|status| !has_ended(status)).collect();
    let lists =
        futures::stream::iter(open).then(async |status| listed(oms, &format!("/orders?status={status}&")).await);
    lists.try_concat().await
}

/// Every page of a list.
async fn listed(oms: &Peer, path: &str) -> Result<Vec<OpenOrder>, CallError> {
    let (mut orders, mut after) = (Vec::new(), String::new());
    loop {
        let page: Page = oms.get(&format!("{path}limit={PAGE}&after={after}")).await?;
        orders.extend(page.orders);
        match page.next {
            Some(next) => after = next,
            None => return Ok(orders),
        }
    }
}

/// A service that does not answer tells nothing, and the others are asked all the same.
async fn stories(tellers: &[(&'static str, Peer)], order_id: &str) -> Stories {
    let path = format!("/events/{order_id}");
    let ask = |(name, peer): &(&'static str, Peer)| {
        let (name, peer, path) = (*name, peer.clone(), path.clone());
        async move { (name, peer.get::<Story>(&path).await.ok()) }
    };
    futures::future::join_all(tellers.iter().map(ask)).await.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_unwatched_when_no_minute_came_for_five_minutes() {
        let at = |ms: i64| Timestamp::from_millisecond(ms).expect("a time");
        assert!(is_long_ago(None, at(0)), "none was ever heard");
        assert!(!is_long_ago(Some(at(0)), at(MOST_SILENCE_MS)));
        assert!(is_long_ago(Some(at(0)), at(MOST_SILENCE_MS + 1)));
        assert!(!is_long_ago(Some(at(1)), at(0)), "its clock is ahead of ours");
    }
}
