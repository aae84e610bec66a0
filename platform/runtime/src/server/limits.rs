//! How much of everything.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Networks, as a question: is this address in one of them?
pub type Networks = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// Limits of a server. The defaults are those of a door that many networks come to; [`Limits::of_service`] has the others.
#[derive(Clone)]
pub struct Limits {
    /// Connections at once; one more waits to be accepted.
    pub connections: usize,
    /// Connections at once from one [network](super::network); one more is closed.
    pub connections_per_network: usize,
    /// Addresses that have no such limits of their own: proxies, behind which everybody is.
    pub unlimited: Networks,
    /// Requests under way, from the last byte of the head to the handler's answer; one more is answered 503.
    pub requests: usize,
    /// Of them, those from one [network](super::network); one more is answered 503. Each may take [`Limits::body_time`] to say what it
    /// wants, so whoever could have them all would keep everybody else out, at the price of a few requests a second.
    pub requests_per_network: usize,
    /// Bytes of a request's head, 8 KiB at least; a longer one is answered 431.
    pub head_bytes: usize,
    /// Header fields of a request; one more is answered 431.
    pub headers: usize,
    /// Time for a request's head, from its first byte; of a new connection from its start.
    pub head_time: Duration,
    /// Time for a request's body, from the first wait for it; a later end is answered 408.
    pub body_time: Duration,
    /// How long a connection is kept without a request.
    pub idle_time: Duration,
    /// How long bytes of an answer may wait for a client until it has taken [`Limits::write_bytes`] more of them, or all there are. An
    /// answer that waits for us may take as long as it likes.
    pub write_time: Duration,
    /// Bytes that a client must take within each [`Limits::write_time`] while there are more: who reads a byte now and then would keep a
    /// connection, and its answer, for days.
    pub write_bytes: usize,
}

impl Limits {
    /// Those of a service that Pub/Sub and other services call: a few addresses, each of which may have everything.
    #[must_use]
    pub fn of_service() -> Self {
        let limits = Self::default();
        Self { requests_per_network: limits.requests, ..limits }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2_048,
            // Services are called by a few, each with many connections.
            connections_per_network: 2_048,
            unlimited: Arc::new(|_| false),
            // A request waits for the database most of the time: many may, and all of them fit into memory.
            requests: 1_024,
            // An eighth. Behind one address may be an office: a hundred requests at the same moment are thousands a second.
            requests_per_network: 128,
            // An unwrapped push has a header for each of 100 attributes, 1,280 bytes each (quotas of Pub/Sub), and its own.
            head_bytes: 192 * 1024,
            headers: 160,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            // Longer than clients keep connections (60 s), so that it is they who close them: a request never meets a closing one.
            idle_time: Duration::from_secs(75),
            write_time: Duration::from_secs(30),
            // 546 bytes a second: nobody waits for an answer that comes so slowly.
            write_bytes: 16 * 1024,
        }
    }
}
