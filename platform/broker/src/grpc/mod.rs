//! The gRPC door: finds the method by its path and leaves the frames to tonic.

mod codec;
mod details;
mod health;
mod messages;
mod methods;
mod reflection;
mod streaming;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::server::Grpc;
use tower::service_fn;

use self::codec::Frames;
pub(crate) use self::details::details;
use crate::body;
use crate::core::Core;
use crate::error::Refusal;
use crate::limits::BODY_BYTES;

/// Whether a request is gRPC.
pub(crate) fn is_grpc(request: &Request<Incoming>) -> bool {
    let kind = request.headers().get(http::header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Answers a gRPC request.
pub(crate) async fn serve(core: Arc<Core>, request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path();
    match path.rsplit_once('/').map_or("", |(service, _)| service) {
        _ if path == "/google.pubsub.v1.Subscriber/StreamingPull" => return streaming::serve(core, request).await,
        "/grpc.health.v1.Health" => return health::serve(core, request).await,
        "/grpc.reflection.v1.ServerReflection" => return reflection::serve_v1(request).await,
        "/grpc.reflection.v1alpha.ServerReflection" => return reflection::serve_v1alpha(request).await,
        _ => {}
    }
    let Some(method) = methods::find(path) else {
        return Status::from(unimplemented(path)).into_http();
    };
    let (parts, body) = request.into_parts();
    let body = match body::read(&core, body).await {
        Ok(body) => Full::new(body),
        Err(refusal) => return Status::from(refusal).into_http(),
    };
    let service = service_fn(move |request: tonic::Request<Bytes>| {
        let called = method(Arc::clone(&core), request.into_inner());
        async move { called.await.map(tonic::Response::new).map_err(Status::from) }
    });
    grpc().unary(service, Request::from_parts(parts, body)).await
}

/// Calls the method at a path for the other door: encoded request in, encoded answer out.
pub(crate) async fn call(core: Arc<Core>, path: &str, request: Bytes) -> Result<Vec<u8>, Refusal> {
    let method = methods::find(path).ok_or_else(|| unimplemented(path))?;
    Ok(method(core, request).await?.encoded())
}

/// Refuses a method by its name, `Publisher.UpdateTopic`.
fn unimplemented(path: &str) -> Refusal {
    let path = path.trim_start_matches('/');
    let name = path.strip_prefix("google.pubsub.v1.").or_else(|| path.strip_prefix("google.iam.v1.")).unwrap_or(path);
    Refusal::unimplemented(&name.replace('/', "."))
}

fn grpc() -> Grpc<Frames> {
    Grpc::new(Frames).max_decoding_message_size(BODY_BYTES).accept_compressed(CompressionEncoding::Gzip)
}
