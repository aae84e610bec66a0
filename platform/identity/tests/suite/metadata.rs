//! Google's metadata server, played by a router.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use identity::Signer;
use identity::limits::{NO_TOKEN_PAUSE_S, TOKEN_RENEW_S};
use serde_json::json;
use testkit::{Served, TestKey, serve as on_a_port};

use crate::{AUDIENCE, NOW_S};

const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";

#[derive(Clone)]
struct Metadata {
    asked: Arc<AtomicU32>,
    down: Arc<std::sync::atomic::AtomicBool>,
    flavor: &'static str,
    key: Arc<TestKey>,
}

async fn identity(State(metadata): State<Metadata>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let asked = metadata.asked.fetch_add(1, Ordering::SeqCst);
    if headers.get("metadata-flavor").is_none_or(|flavor| flavor != "Google") {
        return StatusCode::FORBIDDEN.into_response();
    }
    if metadata.down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    assert_eq!(query.as_deref(), Some("audience=%2F%2Fonlineboutique.com%2Foms&format=full"));
    let token = metadata.key.token(&json!({ "aud": AUDIENCE, "exp": NOW_S + 3_600, "jti": asked }));
    ([("metadata-flavor", metadata.flavor)], token).into_response()
}

async fn serve(flavor: &'static str) -> (Metadata, Signer, Served) {
    let key = Arc::new(TestKey::ec("google"));
    let metadata = Metadata { asked: Arc::default(), down: Arc::default(), flavor, key };
    let router = Router::new().route(PATH, get(identity)).with_state(metadata.clone());
    let server = on_a_port(router).await;
    let signer = Signer::of_metadata_server(Some(&server.address().to_string()));
    (metadata, signer, server)
}

#[tokio::test]
async fn a_token_is_asked_for_once_an_hour_by_however_many() {
    let (metadata, signer, _server) = serve("Google").await;
    let all = (0..20).map(|_| {
        let signer = signer.clone();
        tokio::spawn(async move { signer.authorization(AUDIENCE, NOW_S).await })
    });
    for got in futures::future::join_all(all).await {
        assert!(got.unwrap().unwrap().to_str().unwrap().starts_with("Bearer ey"));
    }
    assert!(signer.authorization(AUDIENCE, NOW_S + 3_600 - TOKEN_RENEW_S - 1).await.is_ok());
    assert_eq!(metadata.asked.load(Ordering::SeqCst), 1);
    assert!(signer.authorization(AUDIENCE, NOW_S + 3_600 - TOKEN_RENEW_S).await.is_ok());
    assert_eq!(metadata.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_after_a_moment_and_not_by_each_who_waits() {
    let (metadata, signer, _server) = serve("Google").await;
    metadata.down.store(true, Ordering::SeqCst);
    for _ in 0..10 {
        assert!(signer.authorization(AUDIENCE, NOW_S).await.is_err());
    }
    assert_eq!(metadata.asked.load(Ordering::SeqCst), 1);
    metadata.down.store(false, Ordering::SeqCst);
    assert!(signer.authorization(AUDIENCE, NOW_S + NO_TOKEN_PAUSE_S).await.is_ok());
}

#[tokio::test]
async fn what_is_not_a_metadata_server_is_not_believed() {
    let (_metadata, signer, _server) = serve("Evil").await;
    let error = signer.authorization(AUDIENCE, NOW_S).await.unwrap_err().to_string();
    assert!(error.contains("is not a metadata server"), "{error}");
}
