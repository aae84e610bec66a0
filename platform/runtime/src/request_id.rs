//! One name for one request in every service it passes, in each of their log lines, and in what the client is told.

use std::fmt;
use std::future::Future;

use http::{HeaderMap, HeaderName, HeaderValue};
use tracing::{Instrument, Span, error_span};

use crate::clock;

/// The header that carries the id, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id taken from a client. A UUID has 36 characters, load balancers' have up to 64.
const MAX_CHARS: usize = 64;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// A request's id: 1 to 64 letters, digits, `-`, `_` and `.`, so that it fits into a log line, a header and a URN as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id in `headers`, when there is exactly one and it is one; a new one otherwise.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut given = headers.get_all(REQUEST_ID).iter();
        match (given.next(), given.next()) {
            (Some(value), None) if is_sane(value.as_bytes()) => Self(value.clone()),
            _ => Self(HeaderValue::try_from(clock::new_id().to_string()).expect("a UUID is ASCII")),
        }
    }

    /// The id of the request that this task works for.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs `work` for this request: its log lines have the id, its calls to other services carry it.
    pub fn within<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        let span = error_span!("request", request.id = %self);
        CURRENT.scope(self, work).instrument(span)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().expect("only ASCII is taken")
    }

    /// Sets the header.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(REQUEST_ID, self.0.clone());
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `work` for a task of its own that goes on working for the current request.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let current = RequestId::current();
    let span = Span::current();
    async move {
        match current {
            Some(id) => CURRENT.scope(id, work).await,
            None => work.await,
        }
    }
    .instrument(span)
}

fn is_sane(bytes: &[u8]) -> bool {
    (1..=MAX_CHARS).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&'static str]) -> String {
        let values = values.iter().map(|value| (REQUEST_ID, HeaderValue::from_static(value)));
        RequestId::of(&values.collect()).to_string()
    }

    #[test]
    fn an_id_is_kept_only_when_it_is_one() {
        assert_eq!(of(&["abc-DEF_1.2"]), "abc-DEF_1.2");
        let long = "x".repeat(MAX_CHARS + 1).leak();
        for strange in [&[""][..], &["a b"], &["a\"b"], &["a", "b"], &[], &[long], &["a\tb"]] {
            let id = of(strange);
            assert_eq!(id.len(), 36, "{strange:?} became {id}");
        }
    }

    #[tokio::test]
    async fn work_knows_its_request_in_tasks_of_its_own_too() {
        let id = RequestId(HeaderValue::from_static("r-1"));
        let (here, there, stray) = id
            .clone()
            .within(async {
                let there = tokio::spawn(carried(async { RequestId::current() }));
                let stray = tokio::spawn(async { RequestId::current() });
                (RequestId::current(), there.await.unwrap(), stray.await.unwrap())
            })
            .await;
        assert_eq!((here, there, stray), (Some(id.clone()), Some(id), None));
        assert_eq!(RequestId::current(), None);
    }
}
