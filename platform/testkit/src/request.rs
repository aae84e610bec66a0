//! Requests to a router without a socket.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use serde_json::Value;

/// The largest answer a test reads.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// A status and a JSON body; `null` for an empty one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: Value,
}

/// Sends one request.
///
/// # Panics
/// When the router does not answer, or not with JSON.
pub async fn request(router: &Router, method: Method, path: &str, body: impl Into<Body>) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(body.into())
        .expect("a request");
    let response = tower_call(router.clone(), request).await;
    let status = response.status();
    let bytes = to_bytes(response.into_body(), MAX_ANSWER_BYTES).await.expect("a body");
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("JSON") };
    Answer { status, body }
}

/// `GET`.
pub async fn get(router: &Router, path: &str) -> Answer {
    request(router, Method::GET, path, Body::empty()).await
}

/// `DELETE`.
pub async fn delete(router: &Router, path: &str) -> Answer {
    request(router, Method::DELETE, path, Body::empty()).await
}

/// `POST` of JSON.
pub async fn post(router: &Router, path: &str, body: &Value) -> Answer {
    request(router, Method::POST, path, body.to_string()).await
}

/// `PUT` of JSON.
pub async fn put(router: &Router, path: &str, body: &Value) -> Answer {
    request(router, Method::PUT, path, body.to_string()).await
}

async fn tower_call(mut router: Router, request: Request<Body>) -> axum::response::Response {
    use tower::Service;
    match router.as_service().call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
