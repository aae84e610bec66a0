//! An issuer of tokens: its keys, its key set over HTTP, and its moods.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::StatusCode;
use http::header::LOCATION;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::rand_core::OsRng;
use serde_json::{Value, json};

use crate::served::{Served, serve};

/// Bits of the RSA keys.
const RSA_BITS: usize = 2_048;

/// How the issuer answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// With its keys.
    Well,
    /// With 503.
    Down,
    /// Never.
    Silent,
    /// With a redirect to its keys.
    Elsewhere,
    /// With more than anybody should read.
    Verbose,
}

/// An issuer that serves its key set at [`Issuer::jwks`].
pub struct Issuer {
    served: Served,
    shared: Arc<Shared>,
}

struct Shared {
    keys: Mutex<Vec<Value>>,
    mood: Mutex<Mood>,
    asked: AtomicU64,
}

impl Issuer {
    /// An issuer that publishes these keys.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn new(keys: Vec<Value>) -> Self {
        let shared =
            Arc::new(Shared { keys: Mutex::new(keys), mood: Mutex::new(Mood::Well), asked: AtomicU64::default() });
        let router =
            Router::new().route("/certs", get(certs)).route("/moved", get(certs)).with_state(Arc::clone(&shared));
        Self { served: serve(router).await, shared }
    }

    /// What its tokens call it.
    pub fn name(&self) -> String {
        format!("http://{}", self.served.address())
    }

    /// Where its keys are.
    pub fn jwks(&self) -> String {
        format!("http://{}/certs", self.served.address())
    }

    /// Publishes other keys.
    pub fn publish(&self, keys: Vec<Value>) {
        *locked(&self.shared.keys) = keys;
    }

    /// Answers otherwise from now on.
    pub fn be(&self, mood: Mood) {
        *locked(&self.shared.mood) = mood;
    }

    /// How often it was asked for its keys.
    pub fn asked(&self) -> u64 {
        self.shared.asked.load(Ordering::SeqCst)
    }
}

async fn certs(State(shared): State<Arc<Shared>>) -> Response {
    shared.asked.fetch_add(1, Ordering::SeqCst);
    let mood = *locked(&shared.mood);
    let keys = locked(&shared.keys).clone();
    match mood {
        Mood::Well => Json(json!({ "keys": keys })).into_response(),
        Mood::Down => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Mood::Silent => std::future::pending().await,
        Mood::Elsewhere => (StatusCode::FOUND, [(LOCATION, "/moved")], Json(json!({ "keys": keys }))).into_response(),
        Mood::Verbose => Json(json!({ "keys": keys, "more": "x".repeat(1 << 20) })).into_response(),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An RSA key as PKCS #8 in DER, in one process always the same: a broker that finds it need not make its own, which takes a while.
///
/// # Panics
/// When there are no random numbers.
pub fn rsa_key() -> &'static [u8] {
    static KEY: OnceLock<Vec<u8>> = OnceLock::new();
    rsa_der(&KEY)
}

/// A key that signs tokens.
pub struct TestKey {
    id: String,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
}

impl TestKey {
    /// A key for RS256: in one process always the same, whatever its id, for making one takes a while.
    ///
    /// # Panics
    /// When there are no random numbers.
    pub fn rsa(id: &str) -> Self {
        static KEY: OnceLock<Vec<u8>> = OnceLock::new();
        Self { id: id.to_owned(), pair: rsa_pair(&KEY) }
    }

    /// Another one.
    ///
    /// # Panics
    /// When there are no random numbers.
    pub fn other_rsa(id: &str) -> Self {
        static KEY: OnceLock<Vec<u8>> = OnceLock::new();
        Self { id: id.to_owned(), pair: rsa_pair(&KEY) }
    }

    /// A new key for ES256.
    ///
    /// # Panics
    /// When there are no random numbers.
    pub fn ec(id: &str) -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("random numbers");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("a key just made");
        Self { id: id.to_owned(), pair: Pair::Ec(Box::new(pair)) }
    }

    /// Its name in tokens and key sets.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its algorithm's name.
    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
        }
    }

    /// The public half as it is published.
    pub fn jwk(&self) -> Value {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = json!({ "kid": self.id, "use": "sig", "alg": self.algorithm() });
        match &self.pair {
            Pair::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
                jwk["kty"] = "RSA".into();
                jwk["n"] = encode(&public.n).into();
                jwk["e"] = encode(&public.e).into();
            }
            Pair::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                jwk["kty"] = "EC".into();
                jwk["crv"] = "P-256".into();
                jwk["x"] = encode(x).into();
                jwk["y"] = encode(y).into();
            }
        }
        jwk
    }

    /// The public half, published with other members.
    pub fn jwk_with(&self, members: &Value) -> Value {
        let mut jwk = self.jwk();
        for (name, value) in members.as_object().into_iter().flatten() {
            jwk[name] = value.clone();
        }
        jwk
    }

    /// A token that says `claims`.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({ "alg": self.algorithm(), "kid": self.id, "typ": "JWT" }), claims)
    }

    /// A token with this head, signed by this key whatever the head says.
    ///
    /// # Panics
    /// When there are no random numbers.
    pub fn token_with(&self, head: &Value, claims: &Value) -> String {
        let said = said(head, claims);
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, said.as_bytes(), &mut signature).expect("random numbers");
                signature
            }
            Pair::Ec(pair) => pair.sign(&random, said.as_bytes()).expect("random numbers").as_ref().to_vec(),
        };
        format!("{said}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// A token of HS256 whose secret is this key's public half: what a verifier takes that believes the token about its algorithm.
    pub fn hmac_token(&self, claims: &Value) -> String {
        let said = said(&json!({ "alg": "HS256", "kid": self.id }), claims);
        let secret = match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ec(pair) => pair.public_key().as_ref().to_vec(),
        };
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), said.as_bytes());
        format!("{said}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
    }

    /// A token without a signature.
    pub fn unsigned_token(claims: &Value) -> String {
        format!("{}.", said(&json!({ "alg": "none" }), claims))
    }
}

fn said(head: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(head), part(claims))
}

fn rsa_pair(kept: &OnceLock<Vec<u8>>) -> Pair {
    Pair::Rsa(Box::new(RsaKeyPair::from_pkcs8(rsa_der(kept)).expect("a key just made")))
}

fn rsa_der(kept: &OnceLock<Vec<u8>>) -> &[u8] {
    kept.get_or_init(|| {
        let key = RsaPrivateKey::new(&mut OsRng, RSA_BITS).expect("random numbers");
        key.to_pkcs8_der().expect("a key just made").to_bytes().to_vec()
    })
}
