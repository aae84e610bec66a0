//! The development issuer, from key to believed token.

use std::os::unix::fs::PermissionsExt;

use identity::development::{Bearer, ISSUER, jwks_path, key_path};
use identity::limits::{DEVELOPMENT_TOKEN_S, TOKEN_RENEW_S};
use identity::{BadTrust, DevelopmentKey, Jwks, OnThisMachine, Refused, Signer, Trust, Verifier, bearer};

use crate::{AUDIENCE, NOW_S};

fn here() -> OnThisMachine {
    OnThisMachine::check(|name| name == "PUBSUB_EMULATOR_HOST", "127.0.0.1:8080".parse().unwrap()).unwrap()
}

fn verifier(folder: &std::path::Path) -> Verifier {
    let keys = Jwks::new(&format!("file:{}", jwks_path(folder).display())).unwrap();
    Verifier::new(Trust::of_development(here(), AUDIENCE.to_owned(), keys).unwrap())
}

#[tokio::test]
async fn a_service_is_believed_by_the_next_and_signs_once_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let key = DevelopmentKey::open_or_make(folder.path()).unwrap();
    let signer = Signer::of_development(key, "checkout@local".to_owned());
    let header = signer.authorization(AUDIENCE, NOW_S).await.unwrap();
    assert!(header.is_sensitive());
    assert!(!format!("{signer:?} {header:?}").contains("eyJ"), "it shows nowhere");
    let headers = http::HeaderMap::from_iter([(http::header::AUTHORIZATION, header.clone())]);
    let claims = verifier(folder.path()).verify(bearer(&headers).unwrap(), NOW_S).await.unwrap();
    assert_eq!((claims.email.as_deref(), claims.email_verified), (Some("checkout@local"), true));
    assert_eq!(claims.issuer, ISSUER);

    let renewed_s = NOW_S + DEVELOPMENT_TOKEN_S - TOKEN_RENEW_S;
    assert_eq!(signer.authorization(AUDIENCE, renewed_s - 1).await.unwrap(), header);
    while signer.authorization(AUDIENCE, renewed_s).await.unwrap() == header {
        tokio::task::yield_now().await;
    }
    assert_ne!(signer.authorization("//onlineboutique.com/crm", NOW_S).await.unwrap(), header);
}

#[tokio::test]
async fn the_key_of_another_folder_is_not_believed() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    DevelopmentKey::open_or_make(ours.path()).unwrap();
    let other = DevelopmentKey::open_or_make(theirs.path()).unwrap();
    let token = other.sign(&Bearer { audience: AUDIENCE, ..Bearer::default() }, NOW_S, 600).unwrap();
    assert_eq!(verifier(ours.path()).verify(&token, NOW_S).await.err(), Some(Refused::UnknownKey));
}

#[tokio::test]
async fn a_clients_token_says_what_the_client_may() {
    let folder = tempfile::tempdir().unwrap();
    let key = DevelopmentKey::open_or_make(folder.path()).unwrap();
    let client = Bearer {
        subject: "anna",
        audience: AUDIENCE,
        email: None,
        scope: Some("orders:read orders:write"),
        customer_id: Some("c-1"),
    };
    let token = key.sign(&client, NOW_S, 600).unwrap();
    let claims = verifier(folder.path()).verify(&token, NOW_S).await.unwrap();
    assert_eq!(claims.subject, "anna");
    assert_eq!(claims.scopes.len(), 2);
    assert_eq!(claims.customer_id.as_deref(), Some("c-1"));
    assert_eq!((claims.email.as_deref(), claims.email_verified), (None, false));
}

#[test]
fn a_key_is_made_once_and_only_its_owner_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = DevelopmentKey::open_or_make(folder.path()).unwrap().jwks();
    let path = key_path(folder.path());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // A power cut may leave an empty file; what is published is made again.
    std::fs::write(jwks_path(folder.path()), "").unwrap();
    assert_eq!(DevelopmentKey::open_or_make(folder.path()).unwrap().jwks(), first);
    assert_eq!(std::fs::read_to_string(jwks_path(folder.path())).unwrap(), first.to_string());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");

    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = DevelopmentKey::open(&path).unwrap_err().to_string();
    assert!(refused.contains("read by others"), "{refused}");
}

#[test]
fn the_issuer_is_not_trusted_in_any_other_way() {
    let keys = || Jwks::new("file:/keys.json").unwrap();
    let refused = Trust::new(vec!["https://a".to_owned(), ISSUER.to_owned()], AUDIENCE.to_owned(), keys()).unwrap_err();
    assert_eq!(refused, BadTrust::Development);
    assert_eq!(Trust::new(Vec::new(), AUDIENCE.to_owned(), keys()).unwrap_err(), BadTrust::NoIssuer);
    assert_eq!(Trust::of_development(here(), String::new(), keys()).unwrap_err(), BadTrust::NoAudience);
}
