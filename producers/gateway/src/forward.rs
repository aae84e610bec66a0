//! Requests passed on to one service, and its answer passed back with its status.
//!
//! Headers go through by name, both ways: what is not listed here stays outside (hop-by-hop, cookies, forwarding) or inside.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LINK, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use runtime::peer::Reply;
use runtime::trace_context::TRACEPARENT;
use runtime::{Peer, Problem};

use crate::peers::no_answer;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// What a client's request brings in.
const INWARD: [HeaderName; 3] =
    [CONTENT_TYPE, HeaderName::from_static(IDEMPOTENCY_KEY), HeaderName::from_static(TRACEPARENT)];
/// What a service's answer brings out.
const OUTWARD: [HeaderName; 3] = [CONTENT_TYPE, RETRY_AFTER, LINK];
/// Where this gateway keeps what services have at their root.
const PREFIX: &str = "/v1";

/// Passes a request on, once: whether to try again is the client's to say, with an idempotency key.
///
/// # Errors
/// 503 when the service does not answer.
pub(crate) async fn forward(
    peer: &Peer,
    method: Method,
    path: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Reply, Problem> {
    peer.forward(method, path, chosen(headers, &INWARD), body).await.map_err(|cause| no_answer(&cause))
}

/// Passes the answer back.
pub(crate) fn pass_back(Reply { status, headers, body }: Reply) -> Response {
    let mut outward = chosen(&headers, &OUTWARD);
    if let Some(location) = headers.get(LOCATION).and_then(moved) {
        outward.insert(LOCATION, location);
    }
    (status, outward, Body::from(body)).into_response()
}

fn chosen(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let mut chosen = HeaderMap::with_capacity(names.len());
    for name in names {
        for value in headers.get_all(name) {
            chosen.append(name.clone(), value.clone());
        }
    }
    chosen
}

/// A service's own path as the client sees it; addresses of services are nobody's business.
fn moved(location: &HeaderValue) -> Option<HeaderValue> {
    let path = location.to_str().ok().filter(|path| path.starts_with('/') && !path.starts_with("//"))?;
    HeaderValue::try_from(format!("{PREFIX}{path}")).ok()
}
