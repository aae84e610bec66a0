//! Closed-loop load: so many connections, each sends its next request when the last one is answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::{HeaderValue, Method, Uri};
use runtime::clock::Stopwatch;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

use super::http::Connection;
use super::numbers::{number, ratio};
use super::problems::Problems;
use super::times::Times;

/// One connection gives up after so many failures in a row.
const MAX_FAILURES_IN_A_ROW: u32 = 20;
/// Of so many answers one is kept.
const KEEP_ONE_OF: u64 = 16;
/// Answers kept by one connection.
const MAX_KEPT: usize = 4;
/// Bytes of a refusal shown to people.
const MAX_QUOTE: usize = 300;

/// Makes the body of request number `n`.
pub type Bodies = Arc<dyn Fn(u64) -> Bytes + Send + Sync>;

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After this time.
    Elapsed(Duration),
    /// After so many requests.
    Sent(u64),
}

/// What to send, where, and how much of it at once.
#[derive(Clone)]
pub struct Load {
    /// The server.
    pub target: SocketAddr,
    /// The `Authorization` header of every request, where one is wanted.
    pub token: Option<HeaderValue>,
    /// Where the requests go.
    pub path: &'static str,
    /// Connections, one request under way on each. 1 or more.
    pub connections: usize,
    /// When to stop.
    pub until: Until,
    /// The requests.
    pub bodies: Bodies,
    /// Numbers of the requests, shared by all loads of a run so that none comes twice.
    pub next: Arc<AtomicU64>,
    /// A permit is used up by each request that succeeds; closing it ends the load.
    pub gate: Option<Arc<Semaphore>>,
}

/// What came of a load.
#[derive(Debug)]
pub struct Tally {
    /// Requests answered with 2xx.
    pub answered: u64,
    /// All others.
    pub problems: Problems,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Times to answer.
    pub times: Times,
    /// Some of the answers.
    pub kept: Vec<Bytes>,
}

impl Tally {
    fn new() -> anyhow::Result<Self> {
        let (answered, problems, kept) = (0, Problems::default(), Vec::new());
        Ok(Self { answered, problems, elapsed: Duration::ZERO, times: Times::new()?, kept })
    }

    /// Answers per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        ratio(number(self.answered), self.elapsed.as_secs_f64())
    }

    fn add(&mut self, other: Tally) -> anyhow::Result<()> {
        self.answered += other.answered;
        self.problems.add(other.problems);
        self.times.add(&other.times)?;
        self.kept.extend(other.kept);
        Ok(())
    }
}

/// Applies the load and waits for its last answer.
///
/// # Errors
/// When the server cannot be reached at all. Requests that fail are counted.
pub async fn drive(load: Load) -> anyhow::Result<Tally> {
    on_own_thread(move || async move {
        let mut connections = Vec::with_capacity(load.connections);
        for _ in 0..load.connections {
            connections.push(Connection::open(load.target, load.token.clone()).await?);
        }
        let left = Arc::new(AtomicU64::new(match load.until {
            Until::Elapsed(_) => u64::MAX,
            Until::Sent(count) => count,
        }));
        let watch = Stopwatch::start();
        let mut clients = JoinSet::new();
        for connection in connections {
            clients.spawn(client(load.clone(), connection, watch, Arc::clone(&left)));
        }
        let mut all = Tally::new()?;
        while let Some(tally) = clients.join_next().await {
            all.add(tally??)?;
        }
        all.elapsed = watch.elapsed();
        Ok(all)
    })
    .await
}

async fn client(
    load: Load,
    mut connection: Connection,
    watch: Stopwatch,
    left: Arc<AtomicU64>,
) -> anyhow::Result<Tally> {
    let path = Uri::from_static(load.path);
    let mut tally = Tally::new()?;
    let mut failures_in_a_row = 0;
    while failures_in_a_row < MAX_FAILURES_IN_A_ROW && !is_over(&load.until, watch, &left) {
        let permit = match &load.gate {
            None => None,
            Some(gate) => match gate.acquire().await {
                Ok(permit) => Some(permit),
                Err(_closed) => break,
            },
        };
        let body = (load.bodies)(load.next.fetch_add(1, Ordering::Relaxed));
        let took = Stopwatch::start();
        match connection.send(Method::POST, path.clone(), body).await {
            Ok((status, answer)) if status.is_success() => {
                failures_in_a_row = 0;
                tally.answered += 1;
                tally.times.record(took.elapsed());
                if tally.answered % KEEP_ONE_OF == 1 && tally.kept.len() < MAX_KEPT {
                    tally.kept.push(answer);
                }
                if let Some(permit) = permit {
                    permit.forget();
                }
            }
            Ok((status, answer)) => {
                failures_in_a_row += 1;
                tally.problems.note(format!("POST {} answered {status}: {}", load.path, quote(&answer)));
            }
            Err(error) => {
                failures_in_a_row += 1;
                tally.problems.note(format!("POST {} on {}: {error:#}", load.path, load.target));
                if let Ok(fresh) = Connection::open(load.target, load.token.clone()).await {
                    connection = fresh;
                }
            }
        }
    }
    Ok(tally)
}

/// Whether this client is to stop; takes one of the requests that are left otherwise.
fn is_over(until: &Until, watch: Stopwatch, left: &AtomicU64) -> bool {
    match until {
        Until::Elapsed(limit) => watch.elapsed() >= *limit,
        Until::Sent(_) => {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1)).is_err()
        }
    }
}

/// The beginning of an answer, for people.
pub fn quote(answer: &[u8]) -> String {
    String::from_utf8_lossy(&answer[..answer.len().min(MAX_QUOTE)]).into_owned()
}

/// Runs work on a thread of its own without other tasks: the load shares two cores with what it measures, and one thread
/// that never steals work is the cheapest.
///
/// # Errors
/// Of the work, or when no thread can be started.
pub async fn on_own_thread<T, F>(work: impl FnOnce() -> F + Send + 'static) -> anyhow::Result<T>
where
    T: Send + 'static,
    F: Future<Output = anyhow::Result<T>>,
{
    let (tell, told) = oneshot::channel();
    std::thread::Builder::new().name("bench-load".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let result = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(work()));
        // Nobody waits after an interruption.
        let _ = tell.send(result);
    })?;
    told.await.context("the load thread panicked")?
}
