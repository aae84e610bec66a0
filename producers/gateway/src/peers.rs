//! The services behind the gateway.

use std::time::Duration;

use axum::http::StatusCode;
use runtime::{CallError, Identity, Peer, Problem, Story};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tracing::warn;

use crate::config::Config;

/// The longest time a service has for a story that somebody streams, tries included. Stories are asked for again and again: one that
/// comes late is heard the next time.
const STORY_TIMEOUT: Duration = Duration::from_millis(500);

/// Every service, by name. What is asked of a service for different purposes is asked through a peer of its own, whose time is that of
/// the purpose: an address fails when it takes longer, and is put aside.
pub(crate) struct Peers {
    pub passed_on: PassedOn,
    pub checkout: Peer,
    pub oms: Peer,
    pub accounting: Peer,
    pub warehouse: Peer,
    pub inventory: Peer,
    pub fraud_bridge: Peer,
    pub crm: Peer,
    pub furniture: Peer,
    pub food: Peer,
    part_timeout: Duration,
    /// Those with a story of each order.
    pub tellers: [Peer; 8],
    story_timeout: Duration,
}

/// The services that requests are passed on to. Those take what they take.
pub(crate) struct PassedOn {
    pub checkout: Peer,
    pub oms: Peer,
}

/// A part of a merged answer.
#[derive(Debug)]
pub(crate) enum Part<T> {
    /// Here it is.
    Is(T),
    /// The service does not know, or does not know yet.
    Unknown,
    /// The service did not answer in time; the cause is in the log.
    Down,
}

impl<T> Part<T> {
    /// The part, or a note in `missing` that `service` did not bring it.
    pub(crate) fn or_missing(self, service: &'static str, missing: &mut Vec<&'static str>) -> Option<T> {
        match self {
            Part::Is(part) => Some(part),
            Part::Unknown | Part::Down => {
                missing.push(service);
                None
            }
        }
    }
}

impl Peers {
    /// Every service, called as `identity`.
    pub(crate) fn new(config: &Config, identity: &Identity) -> Self {
        let services = &config.services;
        let timed = |timeout: Duration| {
            move |name, urls: &str| {
                // Where there is another address, half of the time is left for it.
                let tries = if urls.contains(',') { 2 } else { 1 };
                identity.peer(name, urls, timeout / tries)
            }
        };
        let (part_timeout, story_timeout) = (config.part_timeout(), config.part_timeout().min(STORY_TIMEOUT));
        let (part, story) = (timed(part_timeout), timed(story_timeout));
        Self {
            passed_on: PassedOn {
                checkout: identity.peer("checkout", &services.checkout, config.timeout()),
                oms: identity.peer("oms", &services.oms, config.timeout()),
            },
            checkout: part("checkout", &services.checkout),
            oms: part("oms", &services.oms),
            accounting: part("accounting", &services.accounting),
            warehouse: part("warehouse", &services.warehouse),
            inventory: part("inventory", &services.inventory),
            fraud_bridge: part("fraud-bridge", &services.fraud_bridge),
            crm: part("crm", &services.crm),
            furniture: part("furniture", &services.furniture),
            food: part("food", &services.food),
            part_timeout,
            tellers: [
                story("checkout", &services.checkout),
                story("oms", &services.oms),
                story("accounting", &services.accounting),
                story("warehouse", &services.warehouse),
                story("inventory", &services.inventory),
                story("furniture", &services.furniture),
                story("fraud-bridge", &services.fraud_bridge),
                story("crm", &services.crm),
            ],
            story_timeout,
        }
    }

    /// Asks one service for its part of a merged answer.
    pub(crate) async fn part<T: DeserializeOwned>(&self, peer: &Peer, path: &str) -> Part<T> {
        ask(peer, path, self.part_timeout).await
    }

    /// Asks one of the tellers for its story of an order that somebody streams.
    pub(crate) async fn story(&self, teller: &Peer, path: &str) -> Part<Story> {
        ask(teller, path, self.story_timeout).await
    }

    /// The time that one part of a merged answer has.
    pub(crate) fn part_timeout(&self) -> Duration {
        self.part_timeout
    }
}

async fn ask<T: DeserializeOwned>(peer: &Peer, path: &str, within: Duration) -> Part<T> {
    match timeout(within, peer.get(path)).await {
        Ok(Ok(part)) => Part::Is(part),
        Ok(Err(error)) if error.status() == Some(404) => Part::Unknown,
        Ok(Err(cause)) => {
            warn!(%cause, "a part is missing from a merged answer");
            Part::Down
        }
        Err(_) => {
            warn!(cause = "timeout", peer = peer.name(), "a part is missing from a merged answer");
            Part::Down
        }
    }
}

/// What a client is told when a service cannot be asked. The cause is for the log.
pub(crate) fn no_answer(cause: &CallError) -> Problem {
    warn!(%cause, "a request could not be passed on");
    match cause {
        CallError::Unavailable { peer, .. } | CallError::TurnedAway { peer, .. } => {
            Problem::unavailable("service_unavailable", format!("{peer} does not answer now, try again"))
        }
        CallError::Refused { problem, .. } => (**problem).clone(),
        CallError::Unexpected { peer, .. } => {
            Problem::new(StatusCode::BAD_GATEWAY, "bad_answer", format!("{peer} answered something unexpected"))
        }
    }
}
