//! What an endpoint's answer means.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::client::HttpClient;
use crate::limits;

/// Sends a request and says, once its future is done, whether it was acked.
///
/// The status decides as soon as it is there. 102 is an ack for Pub/Sub, but in HTTP/1.1 another answer follows it:
/// that one decides, and 102 only if none comes before the time is over or the connection is.
pub(super) fn answer(
    client: &HttpClient,
    mut request: Request<Full<Bytes>>,
    within: Duration,
) -> impl Future<Output = bool> + use<> {
    let processing = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&processing);
    hyper::ext::on_informational(&mut request, move |answer| {
        if answer.status() == StatusCode::PROCESSING {
            seen.store(true, Ordering::Relaxed);
        }
    });
    let response = client.request(request);
    async move {
        match timeout(within, response).await {
            Ok(Ok(response)) => {
                let acked = is_ack(response.status());
                let rest = Duration::from_millis(limits::PUSH_ANSWER_REST_MS);
                // An answer that does not end costs its connection, no more.
                let _ = timeout(rest, read_rest(response.into_body())).await;
                acked
            }
            Ok(Err(_)) | Err(_) => processing.load(Ordering::Relaxed),
        }
    }
}

/// The codes that ack. A redirect is none and is not followed.
fn is_ack(status: StatusCode) -> bool {
    matches!(status.as_u16(), 102 | 200 | 201 | 202 | 204)
}

/// Reads an answer to its end, so that the connection can be used again, unless it is long.
async fn read_rest(mut body: Incoming) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > limits::PUSH_ANSWER_BYTES {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// What a push is worth whose endpoint answers with these bytes and then hangs up, or does not.
    async fn acked(said: &'static [u8], hangs_up: bool) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/", listener.local_addr().unwrap());
        let endpoint = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            stream.write_all(said).await.unwrap();
            if !hangs_up {
                // Until the other side does.
                let _ = stream.read(&mut request).await;
            }
        });
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = uri.parse().unwrap();
        // What never comes takes that long.
        let within = if hangs_up { Duration::from_secs(20) } else { Duration::from_millis(300) };
        let acked = answer(&HttpClient::plain(1), request, within).await;
        endpoint.await.unwrap();
        acked
    }

    #[tokio::test]
    async fn the_status_decides_whatever_becomes_of_the_rest() {
        assert!(acked(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", true).await);
        assert!(!acked(b"HTTP/1.1 500 Oh\r\ncontent-length: 100\r\n\r\nhalf", true).await);
        assert!(acked(b"HTTP/1.1 204 No Content\r\n\r\n", false).await);
    }

    #[tokio::test]
    async fn no_answer_is_a_nack_once_the_time_is_over() {
        assert!(!acked(b"", false).await);
        assert!(!acked(b"HTTP/1.1 200 O", false).await);
        assert!(!acked(b"HTTP/1.1 200 O", true).await);
    }

    #[tokio::test]
    async fn processing_is_an_ack_unless_another_answer_follows() {
        assert!(acked(b"HTTP/1.1 102 Processing\r\n\r\n", true).await);
        assert!(acked(b"HTTP/1.1 102 Processing\r\n\r\n", false).await);
        assert!(acked(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", true).await);
        assert!(!acked(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", true).await);
        assert!(!acked(b"HTTP/1.1 100 Continue\r\n\r\n", true).await);
        assert!(!acked(b"HTTP/1.1 103 Early Hints\r\n\r\n", true).await);
    }
}
