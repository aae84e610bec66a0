//! Push over TLS.

use std::sync::Arc;

use google_cloud_googleapis::pubsub::v1 as pb;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::CertifiedKey;
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::harness::{SUBSCRIPTION, TOPIC, World};

/// An https endpoint that acks all, and its certificate in PEM.
async fn endpoint() -> (String, String) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/push", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service =
                    service_fn(|_| async { Ok::<_, std::convert::Infallible>(http::Response::new(String::new())) });
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (url, cert.pem())
}

fn to(url: &str) -> Option<pb::PushConfig> {
    Some(pb::PushConfig { push_endpoint: url.to_owned(), ..Default::default() })
}

#[tokio::test]
async fn an_https_endpoint_is_pushed_to_when_its_certificate_is_trusted() {
    let (url, certificate) = endpoint().await;
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    std::fs::write(&roots, certificate).unwrap();
    let mut world = World::with(|settings| settings.push_roots = Some(roots)).await;
    world.topic(TOPIC).await;
    world.subscription(|s| s.push_config = to(&url)).await;
    world.say(&["a", "b"]).await;
    world.stats_when(SUBSCRIPTION, |s| s.acked == 2 && s.nacked == 0).await;
}

#[tokio::test]
async fn an_https_endpoint_nobody_vouches_for_gets_nothing() {
    let (url, certificate) = endpoint().await;
    let (_, another) = endpoint().await;
    assert_ne!(certificate, another);
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    std::fs::write(&roots, another).unwrap();
    let mut world = World::with(|settings| settings.push_roots = Some(roots)).await;
    world.topic(TOPIC).await;
    world.subscription(|s| s.push_config = to(&url)).await;
    world.say(&["a"]).await;
    world.stats_when(SUBSCRIPTION, |s| s.nacked >= 2 && s.acked == 0).await;
}

#[tokio::test]
async fn without_roots_pushes_wait_and_no_attempt_counts() {
    let (url, certificate) = endpoint().await;
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    let set = roots.clone();
    let mut world = World::with(|settings| settings.push_roots = Some(set)).await;
    world.topic(TOPIC).await;
    world.subscription(|s| s.push_config = to(&url)).await;
    world.say(&["a"]).await;
    std::fs::write(&roots, certificate).unwrap();
    world.stats_when(SUBSCRIPTION, |s| s.acked == 1 && s.nacked == 0).await;
}
