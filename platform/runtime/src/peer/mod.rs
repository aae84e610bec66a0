//! Calls to other services: JSON over pooled HTTP/1.1 with a timeout, a size limit and bounded retry, to whichever of a service's
//! addresses does best.

mod call;
mod transport;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use identity::{Refused, Signer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tls::Tls;

use call::Call;
use transport::{Broken, MAX_ANSWER_BYTES, Transport};

use crate::balance::{Balance, MAX_ADDRESSES};
use crate::clock;
use crate::codes::Code;
use crate::failure::Failure;
use crate::problem::Problem;
use crate::request_id::{REQUEST_ID, RequestId};
use crate::retry::{Policy, retry};

/// How often a 429 is waited out, and how long at most, by who waits its turn.
const MAX_WAITS: u32 = 5;
const LONGEST_WAIT: Duration = Duration::from_secs(10);

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
    /// The peer does not believe who we are, or this door of it is for others. Trying again at once does not help; later it may, for
    /// keys, accounts and lists are mended while we wait.
    #[error("{peer} turned us away with {problem}")]
    TurnedAway {
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
            CallError::Refused { problem, .. } | CallError::TurnedAway { problem, .. } => Some(problem.status),
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
            CallError::Unavailable { .. } | CallError::TurnedAway { .. } => {
                Failure::transient(Code::PeerUnavailable, error.to_string())
            }
            CallError::Refused { .. } => Failure::permanent(Code::PeerRefused, error.to_string()),
            CallError::Unexpected { .. } => Failure::permanent(Code::PeerUnexpected, error.to_string()),
        }
    }
}

/// What a peer answered, whatever its status.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Every header of the answer, hop-by-hop ones too: choose what to pass on.
    pub headers: HeaderMap,
    /// The body, at most 4 MB.
    pub body: Bytes,
}

/// Another service. Clones share its connections.
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    name: &'static str,
    bases: Vec<String>,
    balance: Mutex<Balance>,
    timeout: Duration,
    policy: Policy,
    transport: Transport,
    /// Whether a 429 is waited out.
    waits_its_turn: bool,
    /// Who we are there, and the audience that is to hear it; nobody when there is none.
    signed: Option<(Signer, String)>,
}

impl Peer {
    /// The service `name` at `base`: `http://host:port` or `https://host`, or several of these with commas between them (16 at most; what is beyond is not
    /// called). Each try takes at most `timeout`; a call that may be repeated is tried for about three times that. It is called without
    /// saying who calls; [`Identity::peer`](crate::Identity::peer) says it.
    #[must_use]
    pub fn new(name: &'static str, base: &str, timeout: Duration) -> Self {
        Self::trusting(Arc::default(), name, base, timeout)
    }

    /// As [`Peer::new`], with who may certify https addresses.
    pub(crate) fn trusting(tls: Arc<Tls>, name: &'static str, base: &str, timeout: Duration) -> Self {
        let policy = Policy {
            first_wait: Duration::from_millis(50),
            last_wait: timeout,
            give_up_after: timeout.saturating_mul(2),
        };
        let bases = base.split(',').map(|base| base.trim().trim_end_matches('/').to_owned());
        let bases: Vec<String> = bases.take(MAX_ADDRESSES).collect();
        let balance = Mutex::new(Balance::of(bases.len()));
        let transport = Transport::new(&bases, timeout, tls);
        Self(Arc::new(Inner { name, bases, balance, timeout, policy, transport, waits_its_turn: false, signed: None }))
    }

    /// This peer, not cloned yet, called with tokens of `signer` for `audience`.
    pub(crate) fn signed(self, signer: Signer, audience: String) -> Self {
        let inner = Arc::into_inner(self.0).expect("a peer that was just made has no clones");
        Self(Arc::new(Inner { signed: Some((signer, audience)), ..inner }))
    }

    /// This peer, not cloned yet, asked again when it says 429: what it refused so it did not begin. Each time as long after as its
    /// `Retry-After` says, ten seconds at most, and no more than five times. For clients of the gateway, who have the time.
    #[must_use]
    pub fn waiting_its_turn(self) -> Self {
        let inner = Arc::into_inner(self.0).expect("a peer that was just made has no clones");
        Self(Arc::new(Inner { waits_its_turn: true, ..inner }))
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
        self.decode(&self.repeat(Method::GET, path, Bytes::new()).await?)
    }

    /// `POST` of a request that the peer treats as one however often it comes; tried again while the peer is unavailable.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn post<B: Serialize + Sync, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, CallError> {
        self.decode(&self.repeat(Method::POST, path, to_bytes(body)).await?)
    }

    /// `POST`, tried once.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn post_once<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, CallError> {
        self.post_once_with(path, body, HeaderMap::new()).await
    }

    /// `POST` with headers of the caller's choice, tried once.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn post_once_with<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
        headers: HeaderMap,
    ) -> Result<T, CallError> {
        let reply = self.forward(Method::POST, path, headers, to_bytes(body)).await?;
        self.decode(&self.success(reply)?)
    }

    /// `PUT`, tried again while the peer is unavailable.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn put<B: Serialize + Sync, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, CallError> {
        self.decode(&self.repeat(Method::PUT, path, to_bytes(body)).await?)
    }

    /// `DELETE`, tried again while the peer is unavailable.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        self.decode(&self.repeat(Method::DELETE, path, Bytes::new()).await?)
    }

    /// One request, whatever its answer's status.
    ///
    /// # Errors
    /// [`CallError::Unavailable`], [`CallError::TurnedAway`] or [`CallError::Unexpected`].
    pub async fn raw(&self, method: Method, path: &str, body: Bytes) -> Result<(StatusCode, Bytes), CallError> {
        let reply = self.forward(method, path, HeaderMap::new(), body).await?;
        Ok((reply.status, reply.body))
    }

    /// One request with headers of the caller's choice, whatever its answer's status; tried once. The body is JSON unless
    /// `headers` say otherwise.
    ///
    /// # Errors
    /// [`CallError::Unavailable`], [`CallError::TurnedAway`] or [`CallError::Unexpected`].
    pub fn forward<'a>(
        &'a self,
        method: Method,
        path: &'a str,
        headers: HeaderMap,
        body: Bytes,
    ) -> BoxFuture<'a, Result<Reply, CallError>> {
        Box::pin(async move { self.exchange(method, path, headers, body, &[]).await.1 })
    }

    /// A call that the peer may get several times, until it brings a success or is refused. An address that fails is followed at once by
    /// another; only when each has had its turn there is a wait.
    fn repeat<'a>(&'a self, method: Method, path: &'a str, body: Bytes) -> BoxFuture<'a, Result<Bytes, CallError>> {
        Box::pin(async move {
            let (method, body) = (&method, &body);
            let round = || async move {
                let mut tried = Vec::new();
                loop {
                    let (index, reply) =
                        self.exchange(method.clone(), path, HeaderMap::new(), body.clone(), &tried).await;
                    let outcome = reply.and_then(|reply| self.success(reply));
                    tried.push(index);
                    if tried.len() == self.0.bases.len() || !outcome.as_ref().is_err_and(CallError::again) {
                        return outcome;
                    }
                }
            };
            retry(self.0.policy, CallError::again, round).await
        })
    }

    /// One exchange with an address, one not in `tried` if there is any; and which it was.
    async fn exchange(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
        tried: &[usize],
    ) -> (usize, Result<Reply, CallError>) {
        let mut waits = 0;
        loop {
            let call = Call::begin(&self.0, tried);
            let index = call.index;
            let base = &self.0.bases[index];
            let reply = self.exchange_with(base, method.clone(), path, headers.clone(), body.clone()).await;
            call.end(&reply);
            match reply.as_ref().ok().and_then(wait_of) {
                Some(wait) if self.0.waits_its_turn && waits < MAX_WAITS => tokio::time::sleep(wait).await,
                _ => return (index, reply),
            }
            waits += 1;
        }
    }

    async fn exchange_with(
        &self,
        base: &str,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply, CallError> {
        let uri: Uri = format!("{base}{path}").parse().map_err(|_| self.unexpected("not an address".to_owned()))?;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().entry(header::CONTENT_TYPE).or_insert(json);
        if let Some(id) = RequestId::current().filter(|_| !request.headers().contains_key(REQUEST_ID)) {
            id.write(request.headers_mut());
        }
        let exchange = async {
            if let Some((signer, audience)) = &self.0.signed {
                let token = signer.authorization(audience, clock::now_ms() / 1_000).await;
                let token = token.map_err(|error| Broken::Connection(error.to_string()))?;
                request.headers_mut().insert(header::AUTHORIZATION, token);
            }
            self.0.transport.carry(request).await
        };
        match tokio::time::timeout(self.0.timeout, exchange).await {
            Ok(Ok(reply)) => self.let_in(reply),
            Ok(Err(Broken::Connection(reason))) => Err(self.unavailable(reason)),
            Ok(Err(Broken::TooLarge)) => Err(self.unexpected(format!("an answer above {MAX_ANSWER_BYTES} bytes"))),
            Err(_) => Err(self.unavailable(format!("no answer within {} ms", self.0.timeout.as_millis()))),
        }
    }

    /// An answer from behind the peer's door: what is said at the door is about us and not about the request.
    fn let_in(&self, reply: Reply) -> Result<Reply, CallError> {
        if !matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Ok(reply);
        }
        let Ok(problem) = serde_json::from_slice::<Problem>(&reply.body) else { return Ok(reply) };
        let at_the_door =
            Refused::ALL.into_iter().any(|refused| refused.status() == reply.status && refused.code() == problem.code);
        let problem = Box::new(problem);
        if at_the_door { Err(CallError::TurnedAway { peer: self.0.name, problem }) } else { Ok(reply) }
    }

    /// The body of a success, or what a refusal means.
    fn success(&self, reply: Reply) -> Result<Bytes, CallError> {
        let Reply { status, body, .. } = reply;
        if status.is_success() {
            return Ok(body);
        }
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.unavailable(status.to_string()));
        }
        let problem =
            serde_json::from_slice(&body).unwrap_or_else(|_| Problem::new(status, "refused", "no reason given"));
        Err(CallError::Refused { peer: self.0.name, problem: Box::new(problem) })
    }

    fn decode<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, CallError> {
        let body = if body.is_empty() { b"null" } else { body };
        serde_json::from_slice(body).map_err(|error| self.unexpected(error.to_string()))
    }

    fn unavailable(&self, reason: String) -> CallError {
        CallError::Unavailable { peer: self.0.name, reason }
    }

    fn unexpected(&self, reason: String) -> CallError {
        CallError::Unexpected { peer: self.0.name, reason }
    }
}

/// How long a 429 asks to wait; a second when it does not say.
fn wait_of(reply: &Reply) -> Option<Duration> {
    if reply.status != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let seconds = reply.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Some(Duration::from_secs(seconds.unwrap_or(1)).min(LONGEST_WAIT))
}

impl Inner {
    fn balance(&self) -> MutexGuard<'_, Balance> {
        self.balance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn to_bytes<B: Serialize>(body: &B) -> Bytes {
    serde_json::to_vec(body).expect("request bodies have only string keys and finite numbers").into()
}
