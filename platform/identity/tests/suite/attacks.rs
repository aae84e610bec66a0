//! Tokens that must not be believed, and those beside them that must.

use identity::Refused;
use identity::limits::{LIFETIME_S, SKEW_S, TOKEN_BYTES};
use serde_json::json;
use testkit::{Issuer, TestKey};

use crate::{AUDIENCE, NOW_S, claims, verifier};

#[tokio::test]
async fn both_algorithms_are_believed_and_say_who_it_is() {
    for key in [TestKey::rsa("k"), TestKey::ec("k")] {
        let issuer = Issuer::new(vec![key.jwk()]).await;
        let token = key.token(&claims(&issuer, &json!({ "scope": "orders:read", "customer_id": "c-1" })));
        let said = verifier(&issuer).verify(&token, NOW_S).await.unwrap();
        assert_eq!(said.email.as_deref(), Some("checkout@shop.iam.gserviceaccount.com"));
        assert!(said.email_verified && said.scopes.contains("orders:read"));
        assert_eq!((said.subject.as_str(), said.customer_id.as_deref()), ("checkout", Some("c-1")));
    }
}

#[tokio::test]
async fn no_forged_signature_is_believed() {
    let (rsa, ec) = (TestKey::rsa("rsa"), TestKey::ec("ec"));
    let issuer = Issuer::new(vec![rsa.jwk(), ec.jwk()]).await;
    let good = claims(&issuer, &json!({}));
    let verifier = verifier(&issuer);
    let genuine = rsa.token(&good);
    let (said, signature) = genuine.rsplit_once('.').unwrap();
    let other_said = TestKey::other_rsa("rsa").token(&claims(&issuer, &json!({ "sub": "eve" })));
    let other_said = other_said.rsplit_once('.').unwrap().0;
    let forged = [
        ("unsigned", TestKey::unsigned_token(&good), Refused::WrongAlgorithm),
        ("unsigned under a good head", format!("{said}."), Refused::BadSignature),
        ("HS256 with the RSA key as secret", rsa.hmac_token(&good), Refused::WrongAlgorithm),
        ("HS256 with the EC key as secret", ec.hmac_token(&good), Refused::WrongAlgorithm),
        ("another key under a known kid", TestKey::other_rsa("rsa").token(&good), Refused::BadSignature),
        ("another EC key under a known kid", TestKey::ec("ec").token(&good), Refused::BadSignature),
        ("the kid of a key of another algorithm", TestKey::ec("rsa").token(&good), Refused::UnknownKey),
        ("another payload under a good signature", format!("{other_said}.{signature}"), Refused::BadSignature),
        ("a key of its own in the head", own_key(&good), Refused::UnknownKey),
        ("an unknown kid", TestKey::ec("evil").token(&good), Refused::UnknownKey),
        ("an extension nobody knows", critical(&rsa, &good), Refused::MalformedToken),
        ("four parts", format!("{genuine}.x"), Refused::MalformedToken),
        ("100 KB", format!("{said}.{}", "A".repeat(100 * 1024)), Refused::MalformedToken),
        ("nothing", String::new(), Refused::MalformedToken),
    ];
    assert!(genuine.len() < TOKEN_BYTES);
    for (what, token, refused) in forged {
        assert_eq!(verifier.verify(&token, NOW_S).await.err(), Some(refused), "{what}");
    }
    assert!(verifier.verify(&genuine, NOW_S).await.is_ok(), "the genuine one is");
    assert!(verifier.verify(&genuine, NOW_S).await.is_ok(), "and is remembered");
}

/// A token that brings the key that verifies it.
fn own_key(claims: &serde_json::Value) -> String {
    let own = TestKey::ec("own");
    own.token_with(&json!({ "alg": "ES256", "kid": "own", "jwk": own.jwk(), "jku": "http://127.0.0.1:1/keys" }), claims)
}

fn critical(key: &TestKey, claims: &serde_json::Value) -> String {
    key.token_with(&json!({ "alg": "RS256", "kid": key.id(), "crit": ["b64"], "b64": false }), claims)
}

#[tokio::test]
async fn claims_that_do_not_fit_are_refused() {
    let key = TestKey::ec("k");
    let issuer = Issuer::new(vec![key.jwk()]).await;
    let verifier = verifier(&issuer);
    let cases = [
        (json!({}), None),
        (json!({ "exp": NOW_S - SKEW_S + 1 }), None),
        (json!({ "exp": NOW_S - SKEW_S }), Some(Refused::Expired)),
        (json!({ "exp": null }), Some(Refused::Expired)),
        (json!({ "nbf": NOW_S + SKEW_S }), None),
        (json!({ "nbf": NOW_S + SKEW_S + 1 }), Some(Refused::NotYetValid)),
        (json!({ "iat": NOW_S + SKEW_S + 1 }), Some(Refused::NotYetValid)),
        (json!({ "exp": NOW_S + LIFETIME_S }), None),
        (json!({ "exp": NOW_S + LIFETIME_S + SKEW_S + 1 }), Some(Refused::TooLong)),
        (json!({ "iat": null, "exp": NOW_S + LIFETIME_S + SKEW_S + 1 }), Some(Refused::TooLong)),
        (json!({ "iat": NOW_S - 10 * LIFETIME_S }), Some(Refused::TooLong)),
        (json!({ "iss": "https://accounts.google.com" }), Some(Refused::WrongIssuer)),
        (json!({ "iss": format!("{}/", issuer.name()) }), Some(Refused::WrongIssuer)),
        (json!({ "iss": null }), Some(Refused::WrongIssuer)),
        (json!({ "aud": "//onlineboutique.com/crm" }), Some(Refused::WrongAudience)),
        (json!({ "aud": ["//onlineboutique.com/crm", AUDIENCE] }), None),
        (json!({ "aud": [] }), Some(Refused::WrongAudience)),
        (json!({ "aud": null }), Some(Refused::WrongAudience)),
        (json!({ "exp": "never" }), Some(Refused::MalformedToken)),
    ];
    for (members, refused) in cases {
        let token = key.token(&claims(&issuer, &members));
        // Twice: what is remembered decides alike.
        for _ in 0..2 {
            assert_eq!(verifier.verify(&token, NOW_S).await.err(), refused, "{members}");
        }
    }
}

#[tokio::test]
async fn a_remembered_token_ends_when_it_says() {
    let key = TestKey::ec("k");
    let issuer = Issuer::new(vec![key.jwk()]).await;
    let (verifier, token) = (verifier(&issuer), key.token(&claims(&issuer, &json!({ "exp": NOW_S + 600 }))));
    assert!(verifier.verify(&token, NOW_S).await.is_ok());
    assert!(verifier.verify(&token, NOW_S + 600 + SKEW_S - 1).await.is_ok());
    assert_eq!(verifier.verify(&token, NOW_S + 600 + SKEW_S).await.err(), Some(Refused::Expired));
}

#[tokio::test]
async fn a_key_published_for_something_else_verifies_nothing() {
    for key in [TestKey::rsa("k"), TestKey::ec("k")] {
        for members in [
            json!({ "use": "enc" }),
            json!({ "use": null, "key_ops": ["encrypt", "decrypt"] }),
            json!({ "alg": "RS512" }),
            json!({ "kid": "other" }),
        ] {
            let issuer = Issuer::new(vec![key.jwk_with(&members)]).await;
            let token = key.token(&claims(&issuer, &json!({})));
            let refused = verifier(&issuer).verify(&token, NOW_S).await.err();
            assert_eq!(refused, Some(Refused::UnknownKey), "{members}");
        }
    }
}
