//! The HTTP/1.1 client of one pusher: its connections are kept and used again.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Builder, Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tls::{Connector, Tls};

use crate::limits;

/// A client with or without TLS.
pub(super) enum HttpClient {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<Connector, Full<Bytes>>),
}

impl HttpClient {
    /// For http endpoints.
    pub(super) fn plain(window: usize) -> HttpClient {
        HttpClient::Plain(builder(window).build(connector()))
    }

    /// For https endpoints.
    ///
    /// # Errors
    /// When there is nobody to trust.
    pub(super) async fn tls(window: usize, tls: &Tls) -> io::Result<HttpClient> {
        Ok(HttpClient::Tls(builder(window).build(tls.connector(connector()).await?)))
    }

    pub(super) fn request(&self, request: Request<Full<Bytes>>) -> ResponseFuture {
        match self {
            HttpClient::Plain(client) => client.request(request),
            HttpClient::Tls(client) => client.request(request),
        }
    }
}

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(Duration::from_secs(limits::PUSH_CONNECT_SECONDS)));
    connector
}

fn builder(window: usize) -> Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .pool_max_idle_per_host(window)
        .pool_idle_timeout(Duration::from_secs(limits::PUSH_IDLE_SECONDS))
        .pool_timer(TokioTimer::new())
        .http1_max_buf_size(limits::PUSH_ANSWER_HEAD_BYTES);
    builder
}
