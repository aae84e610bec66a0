//! An issuer's keys: fetched, kept, renewed before they are old, and kept a while longer when nothing newer can be had.

mod source;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{info, warn};

use self::source::Source;
use crate::jwk::KeySet;
use crate::jws::Head;
use crate::limits::{FAILED_FETCH_PAUSE_S, FETCH_MS, KEYS_STALE_S};
use crate::refused::Refused;

pub use self::source::BadSource;

/// The keys of one issuer. Clones share them.
#[derive(Clone)]
pub struct Jwks(Arc<Inner>);

struct Inner {
    source: Source,
    patience: Duration,
    state: Mutex<State>,
    /// Held while fetching: there is one fetch at a time.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// Fetches begun.
    fetches: u64,
    /// When the last one began.
    fetched_at_s: Option<i64>,
    /// Whether it brought nothing.
    failed: bool,
}

/// Keys as they were at some time.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) keys: Arc<KeySet>,
    /// A number that changes when the keys do.
    pub(crate) generation: u64,
    at_s: i64,
    /// Seconds they are good for.
    good_for_s: i64,
}

impl Held {
    fn age_s(&self, now_s: i64) -> i64 {
        now_s - self.at_s
    }

    /// A clock that was set back makes them old, not young.
    fn is_young(&self, now_s: i64) -> bool {
        (0..self.good_for_s).contains(&self.age_s(now_s))
    }

    /// The last quarter of their life is when new ones are fetched while these still serve.
    fn is_ageing(&self, now_s: i64) -> bool {
        self.age_s(now_s) >= self.good_for_s / 4 * 3
    }

    fn serves(&self, now_s: i64) -> bool {
        self.age_s(now_s) < KEYS_STALE_S
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
        Ok(Self(Arc::new(Inner { source, patience, state: Mutex::default(), flight: tokio::sync::Mutex::default() })))
    }

    /// Keys that can be believed now.
    ///
    /// # Errors
    /// [`Refused::KeysUnavailable`] when there are none, or none younger than a day.
    pub(crate) async fn held(&self, now_s: i64) -> Result<Held, Refused> {
        let (held, fetches) = self.look();
        if let Some(held) = held.as_ref().filter(|held| held.is_young(now_s)) {
            if held.is_ageing(now_s) && self.may_fetch(now_s, FAILED_FETCH_PAUSE_S) {
                // Not waited for: what is held still serves.
                drop(self.begin_fetch(now_s, fetches));
            }
            return Ok(held.clone());
        }
        let paused = self.0.state().failed && !self.may_fetch(now_s, FAILED_FETCH_PAUSE_S);
        if !paused {
            self.fetch(now_s, fetches).await;
        }
        self.look().0.filter(|held| held.serves(now_s)).ok_or(Refused::KeysUnavailable)
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
        // Counted before it is asked whether there may be one: of all that come now, one fetches.
        let fetches = self.look().1;
        if self.may_fetch(now_s, self.0.source.unknown_key_pause_s()) {
            self.fetch(now_s, fetches).await;
        }
        let held = self.held(now_s).await?;
        if held.keys.find(head).is_some() { Ok(held) } else { Err(Refused::UnknownKey) }
    }

    fn look(&self) -> (Option<Held>, u64) {
        let state = self.0.state();
        (state.held.clone(), state.fetches)
    }

    fn may_fetch(&self, now_s: i64, pause_s: i64) -> bool {
        self.0.state().fetched_at_s.is_none_or(|at_s| !(0..pause_s).contains(&(now_s - at_s)))
    }

    async fn fetch(&self, now_s: i64, fetches: u64) {
        if let Err(error) = self.begin_fetch(now_s, fetches).await {
            warn!(%error, "the fetch of an issuer's keys ended badly");
        }
    }

    /// A task of its own: a caller that hangs up does not stop what others wait for. Does nothing when there was another fetch after
    /// `fetches` of them.
    fn begin_fetch(&self, now_s: i64, fetches: u64) -> tokio::task::JoinHandle<()> {
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            let _flight = inner.flight.lock().await;
            {
                let mut state = inner.state();
                if state.fetches != fetches {
                    return;
                }
                state.fetches += 1;
                state.fetched_at_s = Some(now_s);
            }
            let loaded = inner.source.load(inner.patience).await;
            inner.take(loaded, now_s);
        })
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, loaded: Result<source::Loaded, String>, now_s: i64) {
        let mut state = self.state();
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
        state.held = Some(Held { keys, generation, at_s: now_s, good_for_s: loaded.good_for_s });
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jwks({})", self.0.source)
    }
}
