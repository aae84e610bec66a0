//! The one port: HTTP/1.1 and HTTP/2 without TLS, gRPC and REST told apart by content type.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::core::Core;
use crate::sync::stopped;
use crate::{grpc, limits, rest};

/// Accepts connections until the broker stops, then lets requests in flight finish.
pub(crate) async fn run(core: Arc<Core>, listener: TcpListener) {
    let mut stopping = core.stopping.subscribe();
    let header_timeout = core.settings.header_timeout;
    let builder = builder(header_timeout);
    let permits = Arc::new(Semaphore::new(core.settings.connections));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (stream, permit) = tokio::select! {
            (accepted, permit) = accepted => match accepted {
                Ok((stream, _)) => (stream, permit),
                Err(error) => {
                    // Out of file handles, say: wait for connections to end.
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
            () = stopped(&mut stopping) => break,
        };
        // Small answers go out at once.
        let _ = stream.set_nodelay(true);
        let core = Arc::clone(&core);
        let service = service_fn(move |request| {
            let core = Arc::clone(&core);
            async move {
                let answer = if grpc::is_grpc(&request) {
                    grpc::serve(core, request).await
                } else {
                    rest::serve(core, request).await
                };
                Ok::<_, Infallible>(answer)
            }
        });
        let (builder, watcher, mut stopping) = (builder.clone(), graceful.watcher(), stopping.clone());
        connections.spawn(async move {
            // hyper's own timer begins with the first byte; a client that never sends one is let go here.
            let first_byte = tokio::select! {
                first_byte = tokio::time::timeout(header_timeout, stream.readable()) => first_byte.is_ok(),
                () = stopped(&mut stopping) => false,
            };
            if first_byte {
                let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
                // A client that breaks off is no concern of ours.
                let _ = watcher.watch(connection).await;
            }
            drop(permit);
        });
    }
    drop(listener);
    let limit = Duration::from_secs(limits::SHUTDOWN_SECONDS);
    if tokio::time::timeout(limit, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections are cut off: their requests did not finish in time");
    }
}

fn builder(header_timeout: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(header_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::STREAMS_PER_CONNECTION)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(16 << 20)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}
