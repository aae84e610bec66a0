//! Bodies read with a limit, and JSON that names the field at fault.

use std::borrow::Cow;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use events::FieldError;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::server;

/// The largest JSON body a REST door accepts.
pub const MAX_JSON_BYTES: usize = 256 * 1024;

/// Reads a whole body, at most `limit` bytes.
///
/// # Errors
/// 413 for a longer one, before a byte of it is read when its length is announced; 408 for one that did not come in time; 400 for one that
/// broke off.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    let too_large =
        || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("the body is above {limit} bytes"));
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) if server::was_too_slow(&*error) => {
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body did not come in time"))
        }
        Err(_) => Err(Problem::bad_request("broken_body", "the body broke off")),
    }
}

/// Decodes JSON.
///
/// # Errors
/// [`FieldError`] with the path of the field at fault.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FieldError> {
    if has_nul(bytes) {
        return Err(FieldError::new("body", "must not hold the character U+0000"));
    }
    let bytes = &with_whole_numbers(bytes);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        FieldError::new(if path == "." { "body".to_owned() } else { path }, error.inner().to_string())
    })?;
    deserializer.end().map_err(|_| FieldError::new("body", "has bytes after its end"))?;
    Ok(value)
}

/// `2.0` as `2`: to JSON, and to JSON Schema, both are the same whole number, and some clients write every number with a point. To the
/// decoder only the second is one.
fn with_whole_numbers(json: &[u8]) -> Cow<'_, [u8]> {
    if !json.windows(2).any(|pair| pair == b".0") {
        return Cow::Borrowed(json);
    }
    let mut whole = Vec::with_capacity(json.len());
    let mut rest = json;
    while let Some(first) = rest.first() {
        let (token, tail) = rest.split_at(match first {
            b'"' => length_of_text(rest),
            _ => rest.iter().take_while(|byte| is_of_number(**byte)).count().max(1),
        });
        whole.extend(without_point(token));
        rest = tail;
    }
    Cow::Owned(whole)
}

/// How long the text at the start is, with its quotes: to the end if it has no last one.
fn length_of_text(json: &[u8]) -> usize {
    let mut escaped = false;
    let end = json.iter().skip(1).position(|byte| {
        let is_end = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        is_end
    });
    end.map_or(json.len(), |at| at + 2)
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-')
}

/// `-10` of `-10.000`; anything but digits with a point and zeros behind them stays.
fn without_point(token: &[u8]) -> &[u8] {
    let Some(point) = token.iter().position(|byte| *byte == b'.') else { return token };
    let (digits, zeros) = (&token[..point], &token[point + 1..]);
    let digits = digits.strip_prefix(b"-").unwrap_or(digits);
    let is_whole = !digits.is_empty()
        && digits.iter().all(u8::is_ascii_digit)
        && !zeros.is_empty()
        && zeros.iter().all(|digit| *digit == b'0');
    if is_whole { &token[..point] } else { token }
}

/// Whether a JSON text has an escaped NUL in a string: the one character that PostgreSQL's texts do not hold. Unescaped, it is no JSON.
fn has_nul(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        if rest[at + 1..].starts_with(b"u0000") {
            return true;
        }
        // The escaped character may be a backslash itself.
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}

/// An extractor for a JSON body.
#[derive(Debug, Clone)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let JsonBytes(bytes) = JsonBytes::<MAX_JSON_BYTES>::from_request(request, state).await?;
        Ok(Self(decode(&bytes)?))
    }
}

/// An extractor for a JSON body of at most `LIMIT` bytes that is decoded by hand.
#[derive(Debug, Clone)]
pub struct JsonBytes<const LIMIT: usize>(pub Bytes);

impl<const LIMIT: usize, S: Send + Sync> FromRequest<S> for JsonBytes<LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_media_type(request.headers())?;
        read(request.into_body(), LIMIT).await.map(Self)
    }
}

/// A body that says it is something else than JSON is refused, so that no form on a web page can send one. One that says nothing is read.
///
/// # Errors
/// 415.
pub fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(said) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let kind = said.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    if is_json {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "the body must be application/json"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_body_that_says_it_is_no_json_is_refused() {
        let status = |kind: &'static str| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
            check_media_type(&headers).map_or_else(|problem| problem.status, |()| 200)
        };
        for json in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert_eq!(status(json), 200, "{json}");
        }
        for other in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/x+json", ""] {
            assert_eq!(status(other), 415, "{other}");
        }
        assert!(check_media_type(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_text_with_nul_is_refused_before_a_database_chokes_on_it() {
        for refused in [r#""\u0000""#, r#"{"a\u0000":1}"#, r#"["x", "\\\u0000"]"#, "\"\0\""] {
            assert!(decode::<Value>(refused.as_bytes()).is_err(), "{refused}");
        }
        for taken in [r#""\\u0000""#, r#""\u0001""#] {
            assert!(decode::<Value>(taken.as_bytes()).is_ok(), "{taken}");
        }
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let read = |text: &str| decode::<Value>(text.as_bytes()).unwrap().to_string();
        assert_eq!(
            read(r#"{"a":2.0,"b":[-10.000, 0.0],"c":1.50,"d":1.0e2}"#),
            r#"{"a":2,"b":[-10,0],"c":1.5,"d":100.0}"#
        );
        let texts = r#"{"1.0":"2.0","\"3.0":"\\","e":"4.0"}"#;
        assert_eq!(decode::<Value>(texts.as_bytes()).unwrap(), serde_json::from_str::<Value>(texts).unwrap());
        assert_eq!(decode::<u32>(b"7.0").unwrap(), 7);
        for broken in ["7.", "7.0.0", "7.00.0", "1-2.0", "-.0", ".0", "x.0", "\".0", "7.0\\"] {
            assert!(decode::<Value>(broken.as_bytes()).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_deep_body_is_refused() {
        let deep = "[".repeat(100_000);
        assert!(decode::<Value>(deep.as_bytes()).is_err());
    }
}
