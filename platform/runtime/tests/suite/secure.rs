//! Calls to services behind TLS.

use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use identity::{DevelopmentKey, development};
use runtime::config::Environment;
use runtime::{CallError, Identity, Peer};
use testkit::{Secure, serve_secure};

async fn service() -> Secure {
    serve_secure(Router::new().route("/word", get(async || "\"hello\""))).await
}

/// Somebody of this machine who trusts whom the platform trusts, and whoever is in `roots`.
fn caller(folder: &Path, roots: &Path) -> Identity {
    DevelopmentKey::open_or_make(folder).unwrap();
    let settings = [
        ("BOUTIQUE_IDENTITY_KEY", development::key_path(folder).display().to_string()),
        ("BOUTIQUE_CALLER_ISSUER", development::ISSUER.to_owned()),
        ("BOUTIQUE_TLS_ROOTS", roots.display().to_string()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    Identity::of_guest("checkout", &Environment::of(settings)).unwrap()
}

fn peer(folder: &Path, roots: &Path, of: &Secure) -> Peer {
    caller(folder, roots).peer("oms", &of.url(), Duration::from_secs(2))
}

#[tokio::test]
async fn a_service_is_called_by_https_when_its_certificate_is_trusted() {
    let (folder, service) = (tempfile::tempdir().unwrap(), service().await);
    let roots = folder.path().join("roots.pem");
    let peer = peer(folder.path(), &roots, &service);
    // Whom to trust is read with the first call, and again until it can be.
    let early = peer.get::<String>("/word").await.unwrap_err();
    assert!(early.to_string().contains("nobody to trust"), "{early}");
    std::fs::write(&roots, service.certificate()).unwrap();
    assert_eq!(peer.get::<String>("/word").await.unwrap(), "hello");
}

#[tokio::test]
async fn a_service_that_nobody_we_trust_vouches_for_is_told_nothing() {
    let (folder, trusted, service) = (tempfile::tempdir().unwrap(), service().await, service().await);
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, trusted.certificate()).unwrap();
    let refused = peer(folder.path(), &roots, &service).get::<String>("/word").await.unwrap_err();
    assert!(matches!(refused, CallError::Unavailable { .. }), "{refused}");
}
