//! What stands before every call to an edge: a bulkhead, a circuit breaker, a timeout for each try and a deadline over all of them,
//! repetition with jittered backoff under a budget, and the metrics of it all.
//!
//! ```text
//! call ─▶ breaker open? ─▶ a place in the bulkhead ─▶ ┌ breaker ─▶ one try, timed ─▶ answer: done
//!                                                     └─◀ wait ◀─ budget? tries left? time left? ◀─ trouble that may pass
//! ```

mod breaker;
mod budget;
mod bulkhead;
mod deadline;
mod meters;
mod trouble;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::{info, warn};

pub use breaker::{Admission, Breaker, BreakerSettings, State, Verdict};
pub use budget::{BudgetSettings, RetryBudget};
pub use bulkhead::BulkheadSettings;
pub use deadline::Deadline;
pub use trouble::{GuardError, Trouble};

use crate::clock::{self, Stopwatch};
use crate::doors::Identity;
use crate::metrics::Metrics;
use crate::peer::{Peer, Reply, to_bytes};
use crate::problem::Problem;
use crate::retry::{Policy, Waits};
use bulkhead::Bulkhead;
use meters::Meters;

/// Wait before the second try, doubled with each, ±50 %.
const FIRST_WAIT: Duration = Duration::from_millis(20);
/// The longest wait between two tries, ±50 %.
const LAST_WAIT: Duration = Duration::from_millis(200);
/// With less than this left before the deadline no try is repeated: the wait alone could take it.
const LEAST_LEFT: Duration = Duration::from_millis(30);

/// How an edge is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardSettings {
    /// A call with all its tries takes at most so long.
    pub deadline: Duration,
    /// One try takes at most so long.
    pub try_timeout: Duration,
    /// A try that takes so long counts as failed to the breaker, though its answer is used.
    pub slow: Duration,
    /// Tries of one call, the first included. At least 1.
    pub tries: u32,
    /// How many calls may be under way.
    pub bulkhead: BulkheadSettings,
    /// When the edge is left alone.
    pub breaker: BreakerSettings,
    /// How many tries may be repeated.
    pub budget: BudgetSettings,
}

/// One edge, behind everything that keeps its trouble from becoming ours. Clones are the same.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    edge: &'static str,
    peer: Peer,
    settings: GuardSettings,
    state: Mutex<Moving>,
    bulkhead: Bulkhead,
    meters: Meters,
    start: Instant,
}

/// What changes with every call.
struct Moving {
    breaker: Breaker,
    budget: RetryBudget,
}

/// A request that may be sent more than once.
struct Repeatable {
    method: Method,
    path: String,
    body: Bytes,
}

/// Reads an answer into its place, or says what is wrong with it.
type Read<'a> = &'a mut (dyn FnMut(&[u8]) -> Result<(), serde_json::Error> + Send);

impl Guard {
    /// The edge at `url`, called as `identity`.
    #[must_use]
    pub fn new(edge: &'static str, url: &str, settings: GuardSettings, identity: &Identity, metrics: &Metrics) -> Self {
        // The guard times every try itself, to know a late answer from a broken connection.
        let peer = identity.peer(edge, url, settings.try_timeout.saturating_mul(2));
        let state = Moving { breaker: Breaker::new(settings.breaker), budget: RetryBudget::new(settings.budget, 0) };
        let inner = Arc::new(Inner {
            edge,
            peer,
            settings,
            state: Mutex::new(state),
            bulkhead: Bulkhead::new(settings.bulkhead),
            meters: Meters::new(metrics, edge),
            start: clock::instant(),
        });
        meters::observe(metrics, &inner);
        Self(inner)
    }

    /// The edge's name.
    #[must_use]
    pub fn edge(&self) -> &'static str {
        self.0.edge
    }

    /// `GET`.
    ///
    /// # Errors
    /// [`GuardError`].
    pub async fn get<T: DeserializeOwned + Send>(&self, path: String, deadline: Deadline) -> Result<T, GuardError> {
        self.call(Repeatable { method: Method::GET, path, body: Bytes::new() }, deadline).await
    }

    /// `POST` of a request that the edge treats as one however often it comes.
    ///
    /// # Errors
    /// [`GuardError`].
    pub async fn post<B: Serialize + Sync, T: DeserializeOwned + Send>(
        &self,
        path: &str,
        body: &B,
        deadline: Deadline,
    ) -> Result<T, GuardError> {
        let request = Repeatable { method: Method::POST, path: path.to_owned(), body: to_bytes(body) };
        self.call(request, deadline).await
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// [`GuardError`].
    pub async fn delete<T: DeserializeOwned + Send>(&self, path: String, deadline: Deadline) -> Result<T, GuardError> {
        self.call(Repeatable { method: Method::DELETE, path, body: Bytes::new() }, deadline).await
    }

    async fn call<T: DeserializeOwned + Send>(&self, request: Repeatable, deadline: Deadline) -> Result<T, GuardError> {
        let mut answer = None;
        let mut read = |body: &[u8]| {
            let body = if body.is_empty() { b"null" } else { body };
            answer = Some(serde_json::from_slice(body)?);
            Ok(())
        };
        // Each call's own time begins when it is asked for, the wait for a place included.
        let deadline = deadline.within(self.0.settings.deadline);
        Inner::guarded(&self.0, &request, deadline, &mut read).await?;
        Ok(answer.expect("a call that ended well has read its answer"))
    }
}

impl Inner {
    /// A call with all its tries. On the heap: an order's future holds several, and most orders make few of them.
    fn guarded<'a>(
        self: &'a Arc<Self>,
        request: &'a Repeatable,
        deadline: Deadline,
        read: Read<'a>,
    ) -> BoxFuture<'a, Result<(), GuardError>> {
        Box::pin(async move {
            let watch = Stopwatch::start();
            let result = self.tries(request, deadline, read).await;
            self.meters.ended(&result, watch.elapsed().as_secs_f64());
            result
        })
    }

    async fn tries(&self, request: &Repeatable, deadline: Deadline, read: Read<'_>) -> Result<(), GuardError> {
        if deadline.has_passed() {
            return Err(self.down(Trouble::TooLate, "no time is left"));
        }
        // Those who would be refused do not wait for a place first.
        if self.state().breaker.refuses(self.now_ms()) {
            return Err(self.down(Trouble::BreakerOpen, "it is left alone for now"));
        }
        let Some(_place) = self.bulkhead.enter(deadline.left()).await else {
            return Err(self.down(Trouble::BulkheadFull, "too many calls are under way"));
        };
        self.state().budget.earn();
        let policy = Policy { first_wait: FIRST_WAIT, last_wait: LAST_WAIT, give_up_after: self.settings.deadline };
        let mut waits = Waits::new(policy);
        let mut last = None;
        for left in (0..self.settings.tries.max(1)).rev() {
            let Some(permit) = Permit::ask(self) else {
                // It opened meanwhile. What kept this call from being repeated is not why it failed.
                return Err(last.unwrap_or_else(|| self.down(Trouble::BreakerOpen, "it is left alone for now")));
            };
            let error = match self.attempt(request, deadline, &mut *read, permit).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let wait = waits.next().unwrap_or(LAST_WAIT);
            let is_over = left == 0 || deadline.left() < wait + LEAST_LEFT;
            if is_over || !error.trouble().is_some_and(Trouble::may_pass) || !self.can_afford() {
                return Err(error);
            }
            last = Some(error);
            tokio::time::sleep(wait).await;
        }
        Err(last.unwrap_or_else(|| self.down(Trouble::TooLate, "no try was left")))
    }

    /// One try, and what it tells the breaker.
    async fn attempt(
        &self,
        request: &Repeatable,
        deadline: Deadline,
        read: Read<'_>,
        permit: Permit<'_>,
    ) -> Result<(), GuardError> {
        self.meters.tried();
        let watch = Stopwatch::start();
        let Repeatable { method, path, body } = request;
        let sent = self.peer.forward(method.clone(), path, HeaderMap::new(), body.clone());
        let timeout = self.settings.try_timeout.min(deadline.left());
        let result = match tokio::time::timeout(timeout, sent).await {
            Err(_) => Err(self.down(Trouble::TimedOut, &format!("no answer within {} ms", timeout.as_millis()))),
            Ok(Err(error)) => Err(GuardError::of(self.edge, error)),
            Ok(Ok(reply)) => self.understand(reply, read),
        };
        let is_well = result.as_ref().map_or_else(|error| error.trouble().is_none(), |()| true);
        let verdict = if is_well && watch.elapsed() < self.settings.slow { Verdict::Good } else { Verdict::Bad };
        permit.settle(verdict);
        result
    }

    fn understand(&self, reply: Reply, read: Read<'_>) -> Result<(), GuardError> {
        let status = reply.status;
        if status.is_success() {
            return read(&reply.body).map_err(|error| self.down(Trouble::Nonsense, &error.to_string()));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.down(Trouble::Busy, status.as_str()));
        }
        if !status.is_client_error() {
            return Err(self.down(Trouble::Failed, status.as_str()));
        }
        let problem =
            serde_json::from_slice(&reply.body).unwrap_or_else(|_| Problem::new(status, "refused", "no reason given"));
        Err(GuardError::Refused { edge: self.edge, problem: Box::new(problem) })
    }

    fn can_afford(&self) -> bool {
        let now_ms = self.now_ms();
        let can = self.state().budget.spend(now_ms);
        if !can {
            self.meters.could_not_afford();
        }
        can
    }

    fn down(&self, trouble: Trouble, reason: &str) -> GuardError {
        GuardError::Down { edge: self.edge, trouble, reason: reason.to_owned() }
    }

    /// Milliseconds since the guard was made.
    fn now_ms(&self) -> u64 {
        u64::try_from(clock::instant().duration_since(self.start).as_millis()).unwrap_or(u64::MAX)
    }

    /// Changes the breaker, and says so when it comes into another state.
    fn move_breaker<T>(&self, change: impl FnOnce(&mut Breaker) -> T) -> T {
        let (before, answer, after) = {
            let mut state = self.state();
            let before = state.breaker.state();
            let answer = change(&mut state.breaker);
            (before, answer, state.breaker.state())
        };
        if before != after {
            self.meters.moved(after);
            let (edge, from, to) = (self.edge, before.as_str(), after.as_str());
            match after {
                State::Open => warn!(edge, from, to, "the breaker opened: the edge is left alone for a while"),
                State::HalfOpen | State::Closed => info!(edge, from, to, "the breaker moved"),
            }
        }
        answer
    }

    fn state(&self) -> MutexGuard<'_, Moving> {
        self.state.lock().expect("nothing panics while it holds a guard's state")
    }
}

/// Leave to call once. Dropped without a verdict, because the caller went away, it gives a probe's place back.
struct Permit<'a> {
    guard: &'a Inner,
    admission: Admission,
    verdict: Verdict,
}

impl<'a> Permit<'a> {
    fn ask(guard: &'a Inner) -> Option<Self> {
        let now_ms = guard.now_ms();
        let admission = guard.move_breaker(|breaker| breaker.admit(now_ms));
        (admission != Admission::Refused).then_some(Self { guard, admission, verdict: Verdict::Abandoned })
    }

    fn settle(mut self, verdict: Verdict) {
        self.verdict = verdict;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let (now_ms, chance) = (self.guard.now_ms(), clock::fraction());
        self.guard.move_breaker(|breaker| breaker.record(now_ms, self.admission, self.verdict, chance));
    }
}
