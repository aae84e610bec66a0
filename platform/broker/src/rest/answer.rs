//! Answers of the REST door.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;
use serde_json::json;
use tonic::body::Body;

use crate::error::{Code, Refusal};

/// An answer, or why there is none.
pub(super) type Answer = Result<Response<Body>, Refusal>;

/// 200 with JSON.
pub(super) fn ok(value: &impl Serialize) -> Response<Body> {
    with(StatusCode::OK, value)
}

/// 200 with a word for people.
pub(super) fn plain(text: &'static str) -> Response<Body> {
    Response::new(Body::new(Full::new(Bytes::from_static(text.as_bytes()))))
}

/// The error form of Google's APIs.
pub(super) fn refused(refusal: &Refusal) -> Response<Body> {
    let (status, name) = status(refusal.code);
    let body = json!({"error": {"code": status.as_u16(), "message": refusal.message, "status": name}});
    with(status, &body)
}

fn with(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Body::new(Full::new(Bytes::from(body))));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    response
}

/// HTTP status and name of a code (google/rpc/code.proto).
fn status(code: Code) -> (StatusCode, &'static str) {
    match code {
        Code::InvalidArgument => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
        Code::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Code::AlreadyExists => (StatusCode::CONFLICT, "ALREADY_EXISTS"),
        Code::Unimplemented => (StatusCode::NOT_IMPLEMENTED, "UNIMPLEMENTED"),
        Code::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
    }
}
