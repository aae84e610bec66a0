//! The services behind the gateway.

use std::time::Duration;

use axum::http::StatusCode;
use runtime::{CallError, Identity, Peer, Problem};
use serde::de::DeserializeOwned;
use tracing::warn;

use crate::config::Config;

/// Every service, by name.
pub(crate) struct Peers {
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
        let part = |name, urls: &str| {
            // Where there is another address, half of the time is left for it.
            let tries = if urls.contains(',') { 2 } else { 1 };
            identity.peer(name, urls, config.part_timeout() / tries)
        };
        Self {
            // Requests are passed on to these two, and those take what they take.
            checkout: identity.peer("checkout", &services.checkout, config.timeout()),
            oms: identity.peer("oms", &services.oms, config.timeout()),
            accounting: part("accounting", &services.accounting),
            warehouse: part("warehouse", &services.warehouse),
            inventory: part("inventory", &services.inventory),
            fraud_bridge: part("fraud-bridge", &services.fraud_bridge),
            crm: part("crm", &services.crm),
            furniture: part("furniture", &services.furniture),
            food: part("food", &services.food),
            part_timeout: config.part_timeout(),
        }
    }

    /// Asks one service for its part of a merged answer.
    pub(crate) async fn part<T: DeserializeOwned>(&self, peer: &Peer, path: &str) -> Part<T> {
        match tokio::time::timeout(self.part_timeout, peer.get(path)).await {
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
