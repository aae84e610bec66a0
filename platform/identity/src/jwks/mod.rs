//! An issuer's keys: fetched, kept, renewed before they are old, and kept a while longer when nothing newer can be had.
//!
//! Who has keys that serve does not wait for an issuer that fails: newer ones are fetched beside. There is one fetch at a time, and
//! whoever waits, waits for that one.

mod flight;
mod held;
mod source;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{info, warn};

use self::flight::Flight;
use self::source::Source;
use crate::jws::Head;
use crate::limits::{FAILED_FETCH_PAUSE_S, FAILING_S, FETCH_MS, NEWER_KEYS_MS};
use crate::refused::Refused;

pub(crate) use self::held::Held;
pub use self::source::BadSource;

/// The keys of one issuer. Clones share them.
#[derive(Clone)]
pub struct Jwks(Arc<Inner>);

struct Inner {
    source: Source,
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// The fetch that is under way.
    flight: Option<Flight>,
    /// When the last one ended; while one is under way, when that began.
    fetched_at_s: Option<i64>,
    /// What time it is, as the last who came has said.
    seen_at_s: i64,
    /// Whether the last fetch brought nothing, or the one under way is overdue.
    failed: bool,
}

impl State {
    fn serving(&self, now_s: i64) -> Option<Held> {
        self.held.clone().filter(|held| held.serves(now_s))
    }

    fn under_way(&self) -> Option<&Flight> {
        self.flight.as_ref().filter(|flight| flight.is_under_way())
    }

    /// Those who waited for a fetch have an older time than its end.
    fn fetched_within(&self, pause_s: i64, now_s: i64) -> bool {
        self.fetched_at_s.is_some_and(|at_s| (now_s - at_s).abs() < pause_s)
    }
}

impl Jwks {
    /// The key set at `source`: `https://…`, `http://` of a loopback address, or `file:PATH`. Nothing is fetched yet.
    ///
    /// # Errors
    /// [`BadSource`].
    pub fn new(source: &str) -> Result<Self, BadSource> {
        Self::with_patience(source, Duration::from_millis(FETCH_MS))
    }

    /// As [`Jwks::new`], for those who want to wait differently for an answer.
    ///
    /// # Errors
    /// [`BadSource`].
    pub fn with_patience(source: &str, patience: Duration) -> Result<Self, BadSource> {
        let source = Source::parse(source)?;
        Ok(Self(Arc::new(Inner { source, patience, state: Mutex::default() })))
    }

    /// Keys that can be believed now. Only who has none that serve waits for as long as a fetch may take.
    ///
    /// # Errors
    /// [`Refused::KeysUnavailable`] when there are none, or none younger than a day.
    pub(crate) async fn held(&self, now_s: i64) -> Result<Held, Refused> {
        let (serving, failing) = self.look(now_s);
        match serving {
            Some(held) if held.is_young(now_s) => {
                if held.is_ageing(now_s) {
                    // Not waited for: what is held still serves.
                    drop(self.fetch(now_s, FAILED_FETCH_PAUSE_S));
                }
                return Ok(held);
            }
            Some(held) => match self.fetch(now_s, FAILED_FETCH_PAUSE_S) {
                Some(flight) if !failing => self.wait_a_moment(flight).await,
                _ => return Ok(held),
            },
            None => {
                if let Some(flight) = self.fetch(now_s, FAILED_FETCH_PAUSE_S) {
                    flight.landed().await;
                }
            }
        }
        self.0.state().serving(now_s).ok_or(Refused::KeysUnavailable)
    }

    /// Keys among which a token's may be: when it is not among those held, newer ones, unless those were asked for a moment ago.
    ///
    /// # Errors
    /// [`Refused::KeysUnavailable`], [`Refused::UnknownKey`].
    pub(crate) async fn with_key_of(&self, head: &Head, now_s: i64) -> Result<Held, Refused> {
        let held = self.held(now_s).await?;
        if held.keys.find(head).is_some() {
            return Ok(held);
        }
        if let Some(flight) = self.fetch(now_s, self.0.source.unknown_key_pause_s()) {
            flight.landed().await;
        }
        let held = self.held(now_s).await?;
        if held.keys.find(head).is_some() { Ok(held) } else { Err(Refused::UnknownKey) }
    }

    /// What serves now, and whether fetching newer ones has failed lately.
    fn look(&self, now_s: i64) -> (Option<Held>, bool) {
        let mut state = self.0.state();
        state.seen_at_s = now_s;
        (state.serving(now_s), state.failed && state.fetched_within(FAILING_S, now_s))
    }

    /// The fetch that is under way, or one that begins now. None within `pause_s` of the last one; nor is the one under way anybody's to
    /// wait for that soon after one that failed.
    fn fetch(&self, now_s: i64, pause_s: i64) -> Option<Flight> {
        let mut state = self.0.state();
        let paused = state.fetched_within(pause_s, now_s);
        if let Some(flight) = state.under_way() {
            return (!(paused && state.failed)).then(|| flight.clone());
        }
        if paused {
            return None;
        }
        let (landing, flight) = Flight::begin();
        state.flight = Some(flight.clone());
        state.fetched_at_s = Some(now_s);
        let inner = Arc::clone(&self.0);
        // A task of its own: a caller that hangs up does not stop what others wait for.
        tokio::spawn(async move {
            let loaded = inner.source.load(inner.patience).await;
            inner.land(loaded, now_s);
            drop(landing);
        });
        Some(flight)
    }

    /// Waits a moment for keys that are newer than those that serve. Who waits in vain does so for all who come after.
    async fn wait_a_moment(&self, flight: Flight) {
        let moment = self.0.patience.min(Duration::from_millis(NEWER_KEYS_MS));
        if tokio::time::timeout(moment, flight.landed()).await.is_err() {
            let mut state = self.0.state();
            state.failed |= state.under_way().is_some();
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The end of a fetch that began at `began_s`.
    fn land(&self, loaded: Result<source::Loaded, String>, began_s: i64) {
        let mut state = self.state();
        state.flight = None;
        // As late as anybody has said it is: the pause is one after the fetch, however long that took.
        state.fetched_at_s = Some(state.seen_at_s);
        state.failed = loaded.is_err();
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(reason) => {
                warn!(source = %self.source, reason, "an issuer's keys cannot be had");
                return;
            }
        };
        let keys = Arc::new(loaded.keys);
        let before = state.held.as_ref();
        let changed = before.is_none_or(|held| held.keys != keys);
        let generation = before.map_or(0, |held| held.generation) + u64::from(changed);
        if changed {
            info!(source = %self.source, keys = keys.len(), "an issuer's keys are new");
        }
        state.held = Some(Held { keys, generation, at_s: began_s, good_for_s: loaded.good_for_s });
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jwks({})", self.0.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwk::KeySet;

    const NOW_S: i64 = 1_800_000_000;

    #[tokio::test]
    async fn the_pause_after_a_fetch_counts_from_its_end_and_nobody_begins_another_meanwhile() {
        // Takes connections and never says anything.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let source = format!("http://{}/certs", silent.local_addr().unwrap());
        let jwks = Jwks::with_patience(&source, Duration::from_millis(50)).unwrap();
        let old = Held { keys: Arc::new(KeySet::default()), generation: 0, at_s: NOW_S - 3_600, good_for_s: 60 };
        jwks.0.state().held = Some(old);
        let flight = jwks.fetch(NOW_S, FAILED_FETCH_PAUSE_S).unwrap();
        jwks.0.state().failed = true;
        let ended_s = NOW_S + 9;
        assert!(jwks.held(ended_s).await.is_ok());
        assert!(flight.is_under_way(), "nobody has waited for it");
        flight.landed().await;
        assert!(jwks.fetch(ended_s + FAILED_FETCH_PAUSE_S - 1, FAILED_FETCH_PAUSE_S).is_none());
        assert!(jwks.fetch(ended_s + FAILED_FETCH_PAUSE_S, FAILED_FETCH_PAUSE_S).is_some());
    }
}
