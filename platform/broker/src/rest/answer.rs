//! Answers of the REST door.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;
use serde_json::json;
use tonic::body::Body;

use crate::error::{Code, Refusal};
use crate::limits::REASON_BYTES;

/// 200 with JSON.
pub(super) fn ok(value: &impl Serialize) -> Response<Body> {
    encoded(serde_json::to_vec(value).unwrap_or_default())
}

/// 200 with JSON that is written already.
pub(super) fn encoded(json: Vec<u8>) -> Response<Body> {
    with(StatusCode::OK, json)
}

/// 200 with a word for people.
pub(super) fn plain(text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(text.into())));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// The error form of Google's APIs.
pub(super) fn refused(refusal: &Refusal) -> Response<Body> {
    let (status, name) = status(refusal.code);
    // A reason may quote what was sent.
    let message = &refusal.message[..refusal.message.floor_char_boundary(REASON_BYTES)];
    let body = json!({"error": {"code": status.as_u16(), "message": message, "status": name}});
    with(status, body.to_string().into_bytes())
}

fn with(status: StatusCode, json: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(Bytes::from(json))));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    response
}

/// HTTP status and name of a code (google/rpc/code.proto).
fn status(code: Code) -> (StatusCode, &'static str) {
    let (status, name) = match code {
        Code::Ok => (200, "OK"),
        Code::Cancelled => (499, "CANCELLED"),
        Code::Unknown => (500, "UNKNOWN"),
        Code::InvalidArgument => (400, "INVALID_ARGUMENT"),
        Code::DeadlineExceeded => (504, "DEADLINE_EXCEEDED"),
        Code::NotFound => (404, "NOT_FOUND"),
        Code::AlreadyExists => (409, "ALREADY_EXISTS"),
        Code::PermissionDenied => (403, "PERMISSION_DENIED"),
        Code::ResourceExhausted => (429, "RESOURCE_EXHAUSTED"),
        Code::FailedPrecondition => (400, "FAILED_PRECONDITION"),
        Code::Aborted => (409, "ABORTED"),
        Code::OutOfRange => (400, "OUT_OF_RANGE"),
        Code::Unimplemented => (501, "UNIMPLEMENTED"),
        Code::Internal => (500, "INTERNAL"),
        Code::Unavailable => (503, "UNAVAILABLE"),
        Code::DataLoss => (500, "DATA_LOSS"),
        Code::Unauthenticated => (401, "UNAUTHENTICATED"),
    };
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_status() {
        let expected = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];
        for (code, expected) in (0..).zip(expected) {
            assert_eq!(status(Code::from_i32(code)).0, expected, "{code}");
        }
    }

    #[test]
    fn a_reason_is_cut_at_a_letter() {
        let refusal = Refusal::invalid("ä".repeat(REASON_BYTES));
        assert_eq!(refused(&refusal).status(), StatusCode::BAD_REQUEST);
    }
}
