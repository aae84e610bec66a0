//! Calls to other services: JSON over pooled HTTP/1.1 with a timeout, a size limit and bounded retry.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::problem::Problem;
use crate::retry::{Policy, retry};

/// The largest answer accepted.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// Idle connections kept to one peer.
const MAX_IDLE: usize = 256;
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(60);

/// Why a call brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The peer could not be reached, did not answer in time, or answered 5xx or 429. Trying again may help.
    #[error("{peer} is unavailable: {reason}")]
    Unavailable {
        /// Which service.
        peer: &'static str,
        /// What happened.
        reason: String,
    },
    /// The peer refused with a 4xx. Trying the same again does not help.
    #[error("{peer} refused with {problem}")]
    Refused {
        /// Which service.
        peer: &'static str,
        /// What it said.
        problem: Box<Problem>,
    },
    /// The peer's answer is not what its contract says. A mistake of one of the two.
    #[error("{peer} answered something unexpected: {reason}")]
    Unexpected {
        /// Which service.
        peer: &'static str,
        /// What was wrong.
        reason: String,
    },
}

impl CallError {
    /// The status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            CallError::Refused { problem, .. } => Some(problem.status),
            _ => None,
        }
    }

    fn again(&self) -> bool {
        matches!(self, CallError::Unavailable { .. })
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Unavailable { .. } => Failure::transient("peer_unavailable", error.to_string()),
            CallError::Refused { .. } => Failure::permanent("peer_refused", error.to_string()),
            CallError::Unexpected { .. } => Failure::permanent("peer_unexpected", error.to_string()),
        }
    }
}

/// Another service. Clones share its connections.
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    name: &'static str,
    base: String,
    timeout: Duration,
    policy: Policy,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Peer {
    /// The service `name` at `base`, `http://host:port`. Each try takes at most `timeout`; a call that may be repeated
    /// is tried for about three times that.
    #[must_use]
    pub fn new(name: &'static str, base: &str, timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(timeout));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MAX_IDLE)
            .build(connector);
        let policy =
            Policy { first_wait: Duration::from_millis(50), last_wait: timeout, give_up_after: timeout.saturating_mul(2) };
        Self(Arc::new(Inner { name, base: base.trim_end_matches('/').to_owned(), timeout, policy, client }))
    }

    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// `GET`, tried again while the peer is unavailable.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        retry(self.0.policy, CallError::again, || self.once(Method::GET, path, Bytes::new())).await
    }

    /// `POST` of a request that the peer treats as one however often it comes; tried again while the peer is unavailable.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn post<B: Serialize + Sync, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, CallError> {
        let body = to_bytes(body);
        retry(self.0.policy, CallError::again, || self.once(Method::POST, path, body.clone())).await
    }

    /// `POST`, tried once.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn post_once<B: Serialize + Sync, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, CallError> {
        self.once(Method::POST, path, to_bytes(body)).await
    }

    async fn once<T: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> Result<T, CallError> {
        let (status, bytes) = self.raw(method, path, body).await?;
        if status.is_success() {
            let bytes: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
            return serde_json::from_slice(bytes).map_err(|error| self.unexpected(error.to_string()));
        }
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.unavailable(status.to_string()));
        }
        let problem = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Problem::new(status, "refused", "no reason given"));
        Err(CallError::Refused { peer: self.0.name, problem: Box::new(problem) })
    }

    /// One request, whatever its answer's status.
    ///
    /// # Errors
    /// [`CallError::Unavailable`] or [`CallError::Unexpected`].
    pub async fn raw(&self, method: Method, path: &str, body: Bytes) -> Result<(StatusCode, Bytes), CallError> {
        let uri: Uri =
            format!("{}{path}", self.0.base).parse().map_err(|_| self.unexpected("not an address".to_owned()))?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let json = http::HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        let exchange = async {
            let response = self.0.client.request(request).await.map_err(|error| self.unavailable(error.to_string()))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
            let bytes = body.map_err(|error| self.unavailable(error.to_string()))?.to_bytes();
            Ok((status, bytes))
        };
        match tokio::time::timeout(self.0.timeout, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(self.unavailable(format!("no answer within {} ms", self.0.timeout.as_millis()))),
        }
    }

    fn unavailable(&self, reason: String) -> CallError {
        CallError::Unavailable { peer: self.0.name, reason }
    }

    fn unexpected(&self, reason: String) -> CallError {
        CallError::Unexpected { peer: self.0.name, reason }
    }
}

fn to_bytes<B: Serialize>(body: &B) -> Bytes {
    serde_json::to_vec(body).expect("request bodies have only string keys and finite numbers").into()
}
