//! Verifiers, key sets and signers, against an issuer over HTTP.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

mod attacks;
mod development;
mod keys;
mod metadata;

use identity::{Jwks, Trust, Verifier};
use serde_json::{Value, json};
use testkit::Issuer;

/// When the tests take place, in seconds since the Unix epoch.
const NOW_S: i64 = 1_800_000_000;
const AUDIENCE: &str = "//onlineboutique.com/oms";

/// A verifier of what `issuer` says.
fn verifier(issuer: &Issuer) -> Verifier {
    let keys = Jwks::new(&issuer.jwks()).unwrap();
    Verifier::new(Trust::new(vec![issuer.name()], AUDIENCE.to_owned(), keys).unwrap())
}

/// What a good token says at [`NOW_S`], with other members.
fn claims(issuer: &Issuer, members: &Value) -> Value {
    let mut claims = json!({
        "iss": issuer.name(), "aud": AUDIENCE, "sub": "checkout", "iat": NOW_S, "exp": NOW_S + 3_600,
        "email": "checkout@shop.iam.gserviceaccount.com", "email_verified": true,
    });
    for (name, value) in members.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}
