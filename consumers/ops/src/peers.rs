//! What is asked of the services: dry runs, outcomes, attempts, and their parts of an order's timeline.

use std::collections::BTreeMap;

use axum::http::Method;
use bytes::Bytes;
use events::topology;
use futures::future::join_all;
use runtime::replay::{DryRun, EventKey, Fate, Fates, MAX_OUTCOME_EVENTS, Question, Rehearsals, Rehearsed, Sample};
use runtime::{Attempts, CallError, Failure, Identity, Peer, Story};
use serde::de::DeserializeOwned;

use crate::config::Config;

/// The services, by name. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Peers(BTreeMap<&'static str, Peer>);

impl Peers {
    /// The services, called as `identity`.
    pub(crate) fn new(config: &Config, identity: &Identity) -> Self {
        let peer = |(name, url): (&&'static str, &String)| (*name, identity.peer(name, url, config.peer_timeout));
        Self(config.urls.iter().map(peer).collect())
    }

    /// What would become of these events now; at most as many as one dry run takes.
    ///
    /// # Errors
    /// [`CallError`] when the consumer cannot be asked or does not answer as agreed.
    pub(crate) async fn rehearse(&self, consumer: &str, events: Vec<Sample>) -> Result<Vec<Rehearsed>, CallError> {
        let count = events.len();
        let peer = self.consumer(consumer)?;
        let Rehearsals { outcomes } = peer.post_once("/dry-run", &DryRun { events }).await?;
        same_number(peer, count, outcomes)
    }

    /// What has become of these events.
    ///
    /// # Errors
    /// As [`Peers::rehearse`].
    pub(crate) async fn fates(&self, consumer: &str, keys: Vec<EventKey>) -> Result<Vec<Fate>, CallError> {
        let peer = self.consumer(consumer)?;
        let mut fates = Vec::with_capacity(keys.len());
        for part in keys.chunks(MAX_OUTCOME_EVENTS) {
            let Fates { outcomes } = peer.post_once("/outcomes", &Question { events: part.to_vec() }).await?;
            fates.extend(same_number(peer, part.len(), outcomes)?);
        }
        Ok(fates)
    }

    /// The failures of one event at a consumer; `None` when it cannot be asked.
    pub(crate) async fn attempts(&self, consumer: &str, event_id: &str) -> Option<Attempts> {
        look(self.consumer(consumer).ok()?, &format!("/attempts?eventId={event_id}")).await
    }

    /// Each service's part of an order's timeline; `None` for those that cannot be asked.
    pub(crate) async fn timeline(&self, order_id: &str) -> Vec<(&'static str, Option<Story>)> {
        let path = format!("/events/{order_id}");
        let asked = self.0.iter().map(|(name, peer)| async { (*name, look(peer, &path).await) });
        join_all(asked).await
    }

    fn consumer(&self, name: &str) -> Result<&Peer, CallError> {
        self.0.get(name).ok_or_else(|| CallError::Unavailable {
            peer: topology::consumers().into_iter().find(|known| *known == name).unwrap_or("a consumer"),
            reason: "its address is not set".to_owned(),
        })
    }
}

/// Asks once: somebody waits for the page, and a part of it may be missing.
async fn look<T: DeserializeOwned>(peer: &Peer, path: &str) -> Option<T> {
    let (status, body) = peer.raw(Method::GET, path, Bytes::new()).await.ok()?;
    if status.is_success() { serde_json::from_slice(&body).ok() } else { None }
}

fn same_number<T>(peer: &Peer, asked: usize, answered: Vec<T>) -> Result<Vec<T>, CallError> {
    if asked == answered.len() {
        return Ok(answered);
    }
    let reason = format!("{} answers to {asked} questions", answered.len());
    Err(CallError::Unexpected { peer: peer.name(), reason })
}

/// Why a consumer could not be asked, in the words of a failure.
pub(crate) fn words(error: CallError) -> (String, String) {
    let failure = Failure::from(error);
    (failure.code().to_owned(), failure.reason().to_owned())
}
