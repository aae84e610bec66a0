//! The W3C trace context (<https://www.w3.org/TR/trace-context/>) of a request.

use http::HeaderMap;

use crate::clock;

/// The header that carries it.
pub const TRACEPARENT: &str = "traceparent";
/// The trace a request belongs to: its own, or a new one when it has none.
#[must_use]
pub fn of(headers: &HeaderMap) -> String {
    given(headers).unwrap_or_else(clock::new_traceparent)
}

/// The trace a request says it belongs to; `None` when its `traceparent` is missing or not of version 00.
#[must_use]
pub fn given(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(TRACEPARENT)?.to_str().ok()?;
    is_traceparent(text).then(|| text.to_owned())
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, lower case, ids not all zero.
fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str, len: usize| {
        part.len() == len && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let id = |part: &str, len: usize| hex(part, len) && part.bytes().any(|b| b != b'0');
    let mut parts = text.split('-');
    let [version, trace, span, flags] = [(); 4].map(|()| parts.next().unwrap_or_default());
    parts.next().is_none() && version == "00" && id(trace, 32) && id(span, 16) && hex(flags, 2)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_trace_context_is_kept_only_when_it_is_one() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let bad = [
            "",
            "00",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        ];
        let trace = |text: &'static str| {
            of(&HeaderMap::from_iter([(http::HeaderName::from_static(TRACEPARENT), HeaderValue::from_static(text))]))
        };
        assert_eq!(trace(good), good);
        assert!(is_traceparent(&clock::new_traceparent()));
        for text in bad {
            assert_ne!(trace(text), text);
            assert!(is_traceparent(&trace(text)));
        }
    }
}
