//! How much of everything.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Networks, as a question: is this address in one of them?
pub type Networks = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// Limits of a server. The defaults are those of a service that Pub/Sub and other services call.
#[derive(Clone)]
pub struct Limits {
    /// Connections at once; one more waits to be accepted.
    pub connections: usize,
    /// Connections at once from one address (of IPv6 its /64); one more is closed.
    pub connections_per_network: usize,
    /// Addresses that have no such limit of their own: proxies, behind which everybody is.
    pub unlimited: Networks,
    /// Requests under way; one more is answered 503.
    pub requests: usize,
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
    /// How long a client may leave an answer lying.
    pub write_time: Duration,
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
            // An unwrapped push has a header for each of 100 attributes, 1,280 bytes each (quotas of Pub/Sub), and its own.
            head_bytes: 192 * 1024,
            headers: 160,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            // Longer than clients keep connections (60 s), so that it is they who close them: a request never meets a closing one.
            idle_time: Duration::from_secs(75),
            write_time: Duration::from_secs(30),
        }
    }
}
