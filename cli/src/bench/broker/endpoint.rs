//! Where pushes go: an HTTP/1.1 server on a thread of its own that notes each message and answers 204, at once or after a while.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

use super::arrivals::Arrivals;
use super::message;

/// The largest push that is read, in bytes.
const MAX_PUSH_BYTES: usize = 64 * 1_024;

/// A running endpoint. Dropped, it ends and its connections are closed.
pub struct Endpoint {
    address: SocketAddr,
    _until_dropped: oneshot::Sender<Infallible>,
}

impl Endpoint {
    /// Starts one that notes messages in `arrivals` as they come in and takes `handling` to answer.
    ///
    /// # Errors
    /// When no port is free or no thread can be started.
    pub fn open(arrivals: Arc<Arrivals>, handling: Duration) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free for the push endpoint")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (until_dropped, dropped) = oneshot::channel();
        std::thread::Builder::new().name("bench-endpoint".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    result = serve(listener, arrivals, handling) => if let Err(error) = result {
                        eprintln!("boutique: the push endpoint ended: {error:#}");
                    },
                    // Nothing is ever sent: it is the sender's end that is awaited.
                    _ = dropped => {}
                }
            });
        })?;
        Ok(Self { address, _until_dropped: until_dropped })
    }

    /// Its address for a push configuration.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/push", self.address)
    }
}

async fn serve(listener: TcpListener, arrivals: Arc<Arrivals>, handling: Duration) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let arrivals = Arc::clone(&arrivals);
        let service = service_fn(move |request| answer(request, Arc::clone(&arrivals), handling));
        // A connection that breaks shows as a message that does not arrive.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// Notes the message first: what is measured is the way to the handler, not the handler.
async fn answer(
    request: Request<Incoming>,
    arrivals: Arc<Arrivals>,
    handling: Duration,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let status = match Limited::new(request.into_body(), MAX_PUSH_BYTES).collect().await {
        Ok(body) => {
            if let Some(number) = message::number(&body.to_bytes()) {
                arrivals.note(number);
            }
            if !handling.is_zero() {
                tokio::time::sleep(handling).await;
            }
            StatusCode::NO_CONTENT
        }
        Err(_) => StatusCode::BAD_REQUEST,
    };
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::http::Connection;
    use http::{Method, Uri};

    #[tokio::test]
    async fn a_push_is_noted_and_acked() {
        let arrivals = Arc::new(Arrivals::of(8));
        let endpoint = Endpoint::open(Arc::clone(&arrivals), Duration::ZERO).unwrap();
        let mut connection = Connection::open(endpoint.address, None).await.unwrap();
        let body = format!("{:?}", message::message(7).attributes);
        let path = Uri::from_static("/push");
        let (status, _) = connection.send(Method::POST, path, Bytes::from(body)).await.unwrap();
        assert_eq!((status, arrivals.distinct()), (StatusCode::NO_CONTENT, 1));
        assert!(arrivals.at(7).is_some());
    }
}
