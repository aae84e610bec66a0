//! Small answers by HTTP: bounded in time and size, and never from elsewhere than asked.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tls::Tls;

use crate::limits::ANSWER_HEAD_BYTES;

/// What was answered with 200.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// One `GET` on a connection of its own: this happens once an hour. Redirects are refused, as is every status but 200.
///
/// # Errors
/// What went wrong, in words that hold nothing of the answer.
pub(crate) async fn get(
    uri: &Uri,
    header: Option<(HeaderName, HeaderValue)>,
    most_bytes: usize,
    patience: Duration,
) -> Result<Answer, String> {
    let mut request = Request::new(Empty::<Bytes>::new());
    *request.uri_mut() = uri.clone();
    request.headers_mut().extend(header);
    let exchange = async {
        if uri.scheme_str() == Some("https") {
            let https = Tls::default().connector(connector(patience)).await.map_err(|error| error.to_string())?;
            exchange(https, request, most_bytes).await
        } else {
            exchange(connector(patience), request, most_bytes).await
        }
    };
    let limit = patience.as_millis();
    tokio::time::timeout(patience, exchange).await.map_err(|_| format!("no answer within {limit} ms"))?
}

fn connector(patience: Duration) -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(patience));
    connector
}

async fn exchange<C: Connect + Clone + Send + Sync + 'static>(
    connector: C,
    request: Request<Empty<Bytes>>,
    most_bytes: usize,
) -> Result<Answer, String> {
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(0)
        .http1_max_buf_size(ANSWER_HEAD_BYTES)
        .build(connector);
    let answer = client.request(request).await.map_err(|error| with_cause(&error))?;
    if answer.status() != http::StatusCode::OK {
        return Err(format!("answered {}", answer.status()));
    }
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, most_bytes).collect().await.map_err(|_| "broke off or is too large".to_owned())?;
    Ok(Answer { headers: head.headers, body: body.to_bytes() })
}

/// Hyper says little; its cause says which.
fn with_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
