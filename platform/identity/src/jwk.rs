//! Public keys as issuers publish them (RFC 7517), those that may verify what we accept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;

use crate::jws::{Algorithm, Head};
use crate::limits::{KEY_ID_CHARS, KEYS, RSA_BITS_MAX, RSA_BITS_MIN};
use crate::refused::Refused;

/// Bytes of a coordinate on P-256.
const COORDINATE_BYTES: usize = 32;

/// A set of keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct KeySet(Vec<Key>);

/// A key that may verify signatures.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    id: Option<String>,
    material: Material,
}

#[derive(Debug, PartialEq, Eq)]
enum Material {
    /// Modulus and exponent, big endian.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// An uncompressed point on P-256.
    P256(Vec<u8>),
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<serde_json::Value>,
}

/// A key as it is published. What else it says does not matter to us.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a key set. Keys that are no keys, too weak, or for something else are left out: an issuer may publish them beside those
    /// that matter.
    ///
    /// # Errors
    /// What is wrong with the set itself, in words.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let Published { keys } = serde_json::from_slice(bytes).map_err(|_| "is not a JSON Web Key Set")?;
        if keys.len() > KEYS {
            return Err("has too many keys");
        }
        let usable = |value| serde_json::from_value::<Jwk>(value).ok().and_then(Key::new);
        Ok(Self(keys.into_iter().filter_map(usable).collect()))
    }

    /// How many keys can be used.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The key that a token's head names. A head that names none gets the only key there is for its algorithm, or none.
    pub(crate) fn find(&self, head: &Head) -> Option<&Key> {
        let mut fitting = self.0.iter().filter(|key| key.algorithm() == head.algorithm);
        match &head.key_id {
            Some(id) => fitting.find(|key| key.id.as_ref() == Some(id)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

impl Key {
    /// The key, if it may verify signatures of an algorithm we accept and is strong enough.
    fn new(jwk: Jwk) -> Option<Self> {
        let may_verify = jwk.usage.as_deref().is_none_or(|usage| usage == "sig")
            && jwk.key_ops.is_none_or(|operations| operations.iter().any(|operation| operation == "verify"));
        let id_fits = jwk.kid.as_ref().is_none_or(|id| id.chars().count() <= KEY_ID_CHARS);
        let (material, algorithm) = match jwk.kty.as_str() {
            "RSA" => (rsa(&jwk.n?, &jwk.e?)?, Algorithm::Rs256),
            "EC" if jwk.crv.as_deref() == Some("P-256") => (p256(&jwk.x?, &jwk.y?)?, Algorithm::Es256),
            _ => return None,
        };
        let is_for_it = jwk.alg.is_none_or(|alg| alg == algorithm.name());
        (may_verify && id_fits && is_for_it).then_some(Self { id: jwk.kid, material })
    }

    fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
        }
    }

    /// Whether `signature` is this key's of `signed`.
    pub(crate) fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), Refused> {
        let verified = match &self.material {
            Material::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
            }
            Material::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature),
        };
        verified.map_err(|_| Refused::BadSignature)
    }
}

fn rsa(n: &str, e: &str) -> Option<Material> {
    let (n, e) = (number(n)?, number(e)?);
    let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
    (RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits).then_some(Material::Rsa { n, e })
}

/// Bytes without leading zeros, which the standard forbids and some issuers write.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[first..].to_vec())
}

fn p256(x: &str, y: &str) -> Option<Material> {
    let (x, y) = (URL_SAFE_NO_PAD.decode(x).ok()?, URL_SAFE_NO_PAD.decode(y).ok()?);
    let fits = x.len() == COORDINATE_BYTES && y.len() == COORDINATE_BYTES;
    // Whether the point is on the curve is checked with every signature.
    fits.then(|| Material::P256([&[4], x.as_slice(), y.as_slice()].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn ec() -> Value {
        let coordinate = URL_SAFE_NO_PAD.encode([7; 32]);
        json!({ "kty": "EC", "crv": "P-256", "kid": "k", "x": coordinate, "y": coordinate })
    }

    fn rsa_of(bits: usize) -> Value {
        let n = URL_SAFE_NO_PAD.encode([&[0x80], vec![1; bits / 8 - 1].as_slice()].concat());
        json!({ "kty": "RSA", "kid": "k", "n": n, "e": "AQAB" })
    }

    fn usable(mut key: Value, with: Value) -> bool {
        for (name, value) in with.as_object().unwrap() {
            key[name] = value.clone();
        }
        KeySet::parse(json!({ "keys": [key] }).to_string().as_bytes()).unwrap().len() == 1
    }

    #[test]
    fn a_key_that_is_for_something_else_is_left_out() {
        for key in [ec(), rsa_of(2_048)] {
            for fine in [json!({}), json!({ "use": "sig" }), json!({ "key_ops": ["sign", "verify"] })] {
                assert!(usable(key.clone(), fine.clone()), "{key} {fine}");
            }
            for other in [
                json!({ "use": "enc" }),
                json!({ "key_ops": ["encrypt"] }),
                json!({ "key_ops": [] }),
                json!({ "use": "sig", "key_ops": ["sign"] }),
                json!({ "alg": "HS256" }),
                json!({ "alg": "PS256" }),
                json!({ "kty": "oct" }),
                json!({ "kid": "k".repeat(KEY_ID_CHARS + 1) }),
            ] {
                assert!(!usable(key.clone(), other.clone()), "{key} {other}");
            }
        }
    }

    #[test]
    fn a_key_that_is_weak_or_none_is_left_out() {
        assert!(!usable(rsa_of(1_024), json!({})));
        assert!(!usable(rsa_of(2_048 - 8), json!({})));
        assert!(!usable(rsa_of(16_384), json!({})));
        assert!(!usable(rsa_of(2_048), json!({ "n": "" })));
        assert!(!usable(ec(), json!({ "crv": "P-384" })));
        assert!(!usable(ec(), json!({ "x": URL_SAFE_NO_PAD.encode([7; 31]) })));
        assert!(!usable(ec(), json!({ "y": "*" })));
    }

    #[test]
    fn a_set_that_is_none_is_refused_whole() {
        assert!(KeySet::parse(b"{}").is_err());
        assert!(KeySet::parse(b"<html>").is_err());
        let many = vec![ec(); KEYS + 1];
        assert!(KeySet::parse(json!({ "keys": many }).to_string().as_bytes()).is_err());
    }

    #[test]
    fn without_an_id_only_an_only_key_is_found() {
        let head = Head { algorithm: Algorithm::Es256, key_id: None };
        let set = |keys: Vec<Value>| KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
        assert!(set(vec![ec(), rsa_of(2_048)]).find(&head).is_some());
        assert!(set(vec![ec(), ec()]).find(&head).is_none());
        assert!(set(vec![rsa_of(2_048)]).find(&head).is_none());
    }
}
