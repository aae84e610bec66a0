//! What a broker is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::faults::Faults;
use crate::warehouse::Warehouse;

/// How a [`Broker`](crate::Broker) runs. Start from [`Settings::default`] and set what differs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address of the one port. Port 0 takes a free one. Default `127.0.0.1:8085`.
    pub listen: SocketAddr,
    /// Directory that holds everything durable; made if absent. One broker at a time. Default `broker-data`.
    pub data: PathBuf,
    /// For tests and demonstrations: pushes start with a full window instead of a slow start, and no wait after
    /// a failure is longer than one second, whatever a retry policy says. Default `false`.
    pub fast: bool,
    /// What goes wrong on purpose. Default: nothing.
    pub faults: Faults,
    /// Requests in flight per push subscription, at most. 1..=1000. Default 128 (64 with `fast`).
    pub push_window: Option<usize>,
    /// Issuer of the tokens that pushes carry (`push_config.oidc_token`), an http or https URL without a slash at its
    /// end; `{issuer}/.well-known/openid-configuration` must lead here. Default `http://` and the address of the port; to be
    /// set where that is not the address endpoints know it by, as with `0.0.0.0`.
    pub issuer: Option<String>,
    /// PEM file of certificates that https endpoints may be certified by, beside the platform's. Read when the first
    /// https endpoint is pushed to. Default none.
    pub push_roots: Option<PathBuf>,
    /// Bytes after which the log begins a new segment. 64 KiB..=1 GiB. Default 32 MiB. Disk space comes back
    /// segment by segment.
    pub segment_bytes: u64,
    /// Bytes of recently published payloads kept in memory. 0..=1 GiB. Default 16 MiB.
    pub recent_bytes: usize,
    /// Bytes of payloads and acks on disk after which publish answers UNAVAILABLE. Default 8 GiB: each segment also
    /// costs two file handles, so raise the process's limit along with it.
    pub disk_bytes: u64,
    /// Open connections, at most; more wait in the listener's queue. 1..=65,536. Default 4,096.
    pub connections: usize,
    /// Time a client has to send a request's head. Default 10 s.
    pub header_timeout: Duration,
    /// Time a client has to send a request's body, except on a streaming pull. Default 60 s.
    pub body_timeout: Duration,
    /// Where BigQuery subscriptions write to. Default none: such subscriptions are refused.
    pub warehouse: Option<Arc<dyn Warehouse>>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8085)),
            data: PathBuf::from("broker-data"),
            fast: false,
            faults: Faults::default(),
            push_window: None,
            issuer: None,
            push_roots: None,
            segment_bytes: 32 << 20,
            recent_bytes: 16 << 20,
            disk_bytes: 8 << 30,
            connections: 4_096,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(60),
            warehouse: None,
        }
    }
}

impl Settings {
    /// Whether the issuer can be one.
    pub(crate) fn has_good_issuer(&self) -> bool {
        self.issuer.as_deref().is_none_or(|issuer| {
            let url = issuer.parse::<http::Uri>().ok();
            let has_scheme = url.is_some_and(|url| matches!(url.scheme_str(), Some("http" | "https")));
            has_scheme
                && issuer.len() <= crate::limits::ISSUER_BYTES
                && !issuer.ends_with('/')
                && !issuer.contains(['?', '#'])
        })
    }

    /// The most requests in flight per push subscription.
    pub(crate) fn push_window_max(&self) -> usize {
        let default = if self.fast { crate::limits::PUSH_WINDOW_FAST } else { 128 };
        self.push_window.unwrap_or(default).clamp(1, 1_000)
    }
}
