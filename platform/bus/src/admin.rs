//! The administrative calls of a local broker or emulator: Pub/Sub's REST API, on one connection.
//!
//! The official client has them too, for all of Google's ways in; its code for them takes longer to compile than the rest of this
//! crate, and needs a certificate store to talk to a process next door.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::outgoing::BusError;

/// A broker that is starting answers within milliseconds; this is for one that hangs.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer read: a resource as it was stored.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// A connection for administrative calls.
pub(crate) struct Admin {
    host: String,
    requests: SendRequest<Full<Bytes>>,
}

/// What a refusal says.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) reason: String,
}

impl Admin {
    /// Connects to `endpoint`, `http://host:port`.
    pub(crate) async fn connect(endpoint: &str) -> Result<Self, BusError> {
        let uri: Uri = endpoint.parse().map_err(|_| BusError::Refused(format!("{endpoint} is no address")))?;
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let address = if uri.port().is_some() { host.clone() } else { format!("{host}:80") };
        let opened = tokio::time::timeout(TIMEOUT, async {
            let stream = TcpStream::connect(&address).await.map_err(|error| unavailable(&address, &error))?;
            handshake(TokioIo::new(stream)).await.map_err(|error| unavailable(&address, &error))
        });
        let (requests, connection) = opened.await.map_err(|error| unavailable(&address, &error))??;
        // It ends when `requests` is dropped; what goes wrong before that fails the request under way.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { host, requests })
    }

    /// Sends `body` to `/v1/{path}`.
    pub(crate) async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Result<(), Refusal>, BusError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/v1/{path}"))
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body.to_string()))
            .map_err(|error| BusError::Refused(format!("{path} is no path: {error}")))?;
        let exchange = tokio::time::timeout(TIMEOUT, async {
            // The connection takes the next request once it has put the last answer away.
            self.requests.ready().await.map_err(|error| unavailable(path, &error))?;
            let answer = self.requests.send_request(request).await.map_err(|error| unavailable(path, &error))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
            Ok((status, body.map_err(|error| unavailable(path, error.as_ref()))?.to_bytes()))
        });
        let (status, body) = exchange.await.map_err(|error| unavailable(path, &error))??;
        if status.is_success() {
            return Ok(Ok(()));
        }
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let reason = answer["error"]["message"].as_str().unwrap_or("no reason given").to_owned();
        Ok(Err(Refusal { status, reason }))
    }
}

fn unavailable(what: &str, error: &dyn std::error::Error) -> BusError {
    BusError::Unavailable(format!("{what}: {error}"))
}
