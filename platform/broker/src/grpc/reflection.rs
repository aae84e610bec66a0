//! `grpc.reflection`: what is served, for clients that were not compiled with it.

use std::convert::Infallible;
use std::sync::LazyLock;

use http::{Request, Response};
use hyper::body::Incoming;
use tonic::body::Body;
use tonic_reflection::pb::{v1, v1alpha};
use tonic_reflection::server::Builder;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::proto;

type Reflection = BoxCloneSyncService<Request<Incoming>, Response<Body>, Infallible>;

static V1: LazyLock<Reflection> = LazyLock::new(|| {
    let api = proto::pool().encode_to_vec();
    BoxCloneSyncService::new(builder(&api).build_v1().expect("the descriptors are whole: a test holds it"))
});

static V1ALPHA: LazyLock<Reflection> = LazyLock::new(|| {
    let api = proto::pool().encode_to_vec();
    BoxCloneSyncService::new(builder(&api).build_v1alpha().expect("the descriptors are whole: a test holds it"))
});

/// Answers a question of the current version.
pub(super) async fn serve_v1(request: Request<Incoming>) -> Response<Body> {
    V1.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
}

/// Answers a question of the version before, which most tools still ask first.
pub(super) async fn serve_v1alpha(request: Request<Incoming>) -> Response<Body> {
    V1ALPHA.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
}

/// The API, health checks and reflection itself.
fn builder(api: &[u8]) -> Builder<'_> {
    Builder::configure()
        .register_encoded_file_descriptor_set(api)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(v1alpha::FILE_DESCRIPTOR_SET)
}
