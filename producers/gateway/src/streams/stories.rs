//! The stories of an order, from the services that answer. One that is silent is left alone for a while: otherwise each order's watch
//! would wait for it, and all streams with it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use events::OrderId;
use futures::future::join_all;
use runtime::clock::Stopwatch;
use runtime::{Peer, Story};

use super::lock;
use crate::peers::{Part, Peers};

/// How long a service that did not answer is not asked.
const LEFT_ALONE: Duration = Duration::from_secs(5);

/// Services that did not answer, and since when.
#[derive(Default)]
pub(super) struct Silent(Mutex<HashMap<&'static str, Stopwatch>>);

impl Silent {
    /// What each service says of `order`, without those that say nothing now.
    pub(super) async fn stories(&self, peers: &Peers, order: &OrderId) -> Vec<(&'static str, Story)> {
        let path = &format!("/events/{order}");
        let asked = peers.tellers.iter().filter(|teller| !self.is_left_alone(teller.name()));
        let stories = asked.map(|teller| async { Some((teller.name(), self.story(peers, teller, path).await?)) });
        join_all(stories).await.into_iter().flatten().collect()
    }

    async fn story(&self, peers: &Peers, teller: &Peer, path: &str) -> Option<Story> {
        match peers.story(teller, path).await {
            Part::Is(story) => Some(story),
            Part::Unknown => None,
            Part::Down => {
                lock(&self.0).insert(teller.name(), Stopwatch::start());
                None
            }
        }
    }

    fn is_left_alone(&self, service: &str) -> bool {
        lock(&self.0).get(service).is_some_and(|since| since.elapsed() < LEFT_ALONE)
    }
}
