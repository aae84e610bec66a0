//! Push over TLS.

use axum::Router;
use google_cloud_googleapis::pubsub::v1 as pb;
use testkit::{Secure, serve_secure};

use crate::harness::{SUBSCRIPTION, TOPIC, World};

/// An https endpoint that acks all.
async fn endpoint() -> Secure {
    serve_secure(Router::new().fallback(async || "")).await
}

fn to(endpoint: &Secure) -> Option<pb::PushConfig> {
    Some(pb::PushConfig { push_endpoint: format!("{}/push", endpoint.url()), ..Default::default() })
}

#[tokio::test]
async fn an_https_endpoint_is_pushed_to_when_its_certificate_is_trusted() {
    let endpoint = endpoint().await;
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    std::fs::write(&roots, endpoint.certificate()).unwrap();
    let mut world = World::with(|settings| settings.push_roots = Some(roots)).await;
    world.topic(TOPIC).await;
    world.subscription(|s| s.push_config = to(&endpoint)).await;
    world.say(&["a", "b"]).await;
    world.stats_when(SUBSCRIPTION, |s| s.acked == 2 && s.nacked == 0).await;
}

#[tokio::test]
async fn an_https_endpoint_nobody_vouches_for_gets_nothing() {
    let (trusted, endpoint) = (endpoint().await, endpoint().await);
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    std::fs::write(&roots, trusted.certificate()).unwrap();
    let mut world = World::with(|settings| settings.push_roots = Some(roots)).await;
    world.topic(TOPIC).await;
    world.subscription(|s| s.push_config = to(&endpoint)).await;
    world.say(&["a"]).await;
    world.stats_when(SUBSCRIPTION, |s| s.nacked >= 2 && s.acked == 0).await;
}

#[tokio::test]
async fn without_roots_pushes_wait_and_no_attempt_counts() {
    let endpoint = endpoint().await;
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    let set = roots.clone();
    let mut world = World::with(|settings| settings.push_roots = Some(set)).await;
    world.topic(TOPIC).await;
    world.subscription(|s| s.push_config = to(&endpoint)).await;
    world.say(&["a"]).await;
    std::fs::write(&roots, endpoint.certificate()).unwrap();
    world.stats_when(SUBSCRIPTION, |s| s.acked == 1 && s.nacked == 0).await;
}
