//! Who may come in, and how often: what stands before every route.
//!
//! First the address is counted, which costs next to nothing; then the token is looked at; then its subject is counted. Whatever a
//! request says of itself changes none of it before the token is verified.

mod budget;
mod forwarded;
mod limiter;
mod scope;
mod table;
mod token;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use identity::{Refused, Verifier, bearer};
use runtime::clock::{self, Stopwatch};
use runtime::server::network;
use runtime::trace_context::{self, TRACEPARENT};
use tracing::{info, warn};

use self::budget::{Budget, too_many};
use self::limiter::Limiter;
use crate::config::Config;
use crate::meters::{ADDRESS_LIMIT, Meters, SUBJECT_LIMIT};

pub use self::forwarded::{Forwarding, Proxies};
pub use self::limiter::Rate;
pub(crate) use self::limiter::{Bearer, Seed};
pub use self::scope::Scope;
pub(crate) use self::scope::require;
pub(crate) use self::token::Principal;
use self::token::turned_away;

/// Paths that need no token: what says nothing but that the gateway lives, and what it can do.
pub(crate) const OPEN: [&str; 4] = ["/health", "/ready", "/openapi.json", "/docs"];

/// What decides on every request.
pub(crate) struct Admission {
    verifier: Verifier,
    proxies: Proxies,
    addresses: Limiter<IpAddr>,
    customers: Limiter<Bearer>,
    staff: Limiter<Bearer>,
    seed: Seed,
    meters: Meters,
}

impl Admission {
    pub(crate) fn new(config: &Config, verifier: Verifier, meters: Meters) -> Self {
        Self {
            verifier,
            proxies: config.proxies.clone(),
            addresses: Limiter::new(config.rates.address),
            customers: Limiter::new(config.rates.customer),
            staff: Limiter::new(config.rates.staff),
            seed: Seed::default(),
            meters,
        }
    }

    /// The client's network, and how many requests it has left.
    fn count_address(&self, request: &Request) -> Result<Budget, Response> {
        // Only a test within one process brings requests without a connection.
        let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let from = connection.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(from)| from.ip());
        let client = self.proxies.client(from, request.headers());
        self.addresses.count(&network(client)).map_err(|refused| {
            info!(limit = "address", "a request too many");
            self.meters.refused(ADDRESS_LIMIT);
            too_many(&refused)
        })
    }

    async fn know(&self, headers: &HeaderMap) -> Result<Principal, Response> {
        let verified = match bearer(headers) {
            Ok(token) => self.verifier.verify(token, clock::now_ms() / 1_000).await,
            Err(refused) => Err(refused),
        };
        verified.and_then(|claims| Principal::of(&claims).ok_or(Refused::MalformedToken)).map_err(|refused| {
            // Neither the token nor what it says: whoever reads logs is not to be anybody.
            warn!(code = refused.code(), "a client was turned away");
            self.meters.refused(refused.code());
            turned_away(refused)
        })
    }

    fn count_subject(&self, principal: &Principal) -> Result<Budget, Response> {
        let limiter = if principal.acts_for_any() { &self.staff } else { &self.customers };
        limiter.count(&self.seed.bearer(principal)).map_err(|refused| {
            info!(limit = "subject", "a request too many");
            self.meters.refused(SUBJECT_LIMIT);
            too_many(&refused)
        })
    }
}

/// Every request of a client passes here first: it gets its trace, is counted, and its bearer becomes known.
pub(crate) async fn admit(State(admission): State<Arc<Admission>>, mut request: Request, next: Next) -> Response {
    let since = Stopwatch::start();
    let (method, path) = (request.method().clone(), request.extensions().get::<MatchedPath>().cloned());
    let trace = HeaderValue::try_from(trace_context::of(request.headers())).expect("a trace context is ASCII");
    let name = HeaderName::from_static(TRACEPARENT);
    request.headers_mut().insert(name.clone(), trace.clone());
    let mut response = match let_in(&admission, &mut request).await {
        Ok(budget) => {
            let mut response = next.run(request).await;
            budget.write(response.headers_mut());
            response
        }
        Err(refusal) => refusal,
    };
    response.headers_mut().insert(name, trace);
    let path = path.as_ref().map(MatchedPath::as_str);
    admission.meters.answered(&method, path, response.status(), since.elapsed());
    response
}

/// What the client has left: its subject where it is known, its address otherwise.
async fn let_in(admission: &Admission, request: &mut Request) -> Result<Budget, Response> {
    let of_address = admission.count_address(request)?;
    if OPEN.contains(&request.uri().path()) {
        return Ok(of_address);
    }
    let principal = match admission.know(request.headers()).await {
        Ok(principal) => principal,
        Err(mut refusal) => {
            of_address.write(refusal.headers_mut());
            return Err(refusal.into_response());
        }
    };
    let of_subject = admission.count_subject(&principal)?;
    request.extensions_mut().insert(Arc::new(principal));
    Ok(of_subject)
}
