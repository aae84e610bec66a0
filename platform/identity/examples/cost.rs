//! What it costs to believe a token: verified anew each time, and remembered. `cargo run --release -p identity --example cost`

use std::time::Instant;

use identity::{Jwks, Trust, Verifier};
use serde_json::json;
use testkit::{Issuer, TestKey};

/// When it takes place, in seconds since the Unix epoch.
const NOW_S: i64 = 1_800_000_000;
const AUDIENCE: &str = "//onlineboutique.com/oms";
/// Tokens, each verified once; and how often the last of them is verified again.
const TOKENS: u32 = 2_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for key in [TestKey::rsa("k"), TestKey::ec("k")] {
        let issuer = Issuer::new(vec![key.jwk()]).await;
        let keys = Jwks::new(&issuer.jwks()).expect("an address of this machine");
        let trust = Trust::new(vec![issuer.name()], AUDIENCE.to_owned(), keys).expect("an issuer and an audience");
        let verifier = Verifier::new(trust);
        let token = |number: u32| {
            key.token(&json!({
                "iss": issuer.name(), "aud": AUDIENCE, "sub": number.to_string(), "iat": NOW_S, "exp": NOW_S + 3_600,
                "email": "pubsub-push@shop.iam.gserviceaccount.com", "email_verified": true,
            }))
        };
        let tokens: Vec<String> = (0..=TOKENS).map(token).collect();
        verifier.verify(&tokens[0], NOW_S).await.expect("a good token brings the keys");
        let anew = time(&verifier, tokens[1..].iter()).await;
        let again = time(&verifier, std::iter::repeat_n(&tokens[1], TOKENS as usize)).await;
        println!("{}: {anew:.1} µs anew, {again:.1} µs remembered", key.algorithm());
    }
}

/// Microseconds a token.
async fn time(verifier: &Verifier, tokens: impl Iterator<Item = &String>) -> f64 {
    #[expect(clippy::disallowed_methods, reason = "a measurement has no use for another clock")]
    let since = Instant::now();
    for token in tokens {
        verifier.verify(token, NOW_S).await.expect("a good token");
    }
    since.elapsed().as_secs_f64() * 1e6 / f64::from(TOKENS)
}
