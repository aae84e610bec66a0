//! What a client is told of its limit.
//!
//! The header fields are those of draft-ietf-httpapi-ratelimit-headers-06, sections 5.1 to 5.3: the last version with a field for each
//! value, which is what clients read; later ones put them into one structured field. `Retry-After` is RFC 9110's.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime::Problem;

use super::table::seconds;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// How many requests a client has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    /// Requests at once, with a full budget.
    pub limit: u32,
    /// Requests at once, now.
    pub remaining: u32,
    /// Until the budget is full again, if nothing more is sent.
    pub reset: Duration,
}

/// A request too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exceeded {
    pub budget: Budget,
    /// Until one more is admitted.
    pub wait: Duration,
}

impl Budget {
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, self.limit.into());
        headers.insert(REMAINING, self.remaining.into());
        headers.insert(RESET, seconds(self.reset).into());
    }
}

/// 429, and when to come again.
pub(super) fn too_many(exceeded: &Exceeded) -> Response {
    let wait_s = seconds(exceeded.wait).max(1);
    let detail = format!("too many requests, try again in {wait_s} s");
    let mut response = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).into_response();
    exceeded.budget.write(response.headers_mut());
    response.headers_mut().insert(RETRY_AFTER, wait_s.into());
    response
}
