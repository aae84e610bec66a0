//! A signed token taken apart (RFC 7515, compact form). Nothing in it is believed here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use crate::limits::{KEY_ID_CHARS, TOKEN_BYTES};
use crate::refused::Refused;

/// The algorithms that are accepted. There is no other way to one than [`Algorithm::named`], so `none` and secrets shared with the
/// issuer have no place in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Es256 => "ES256",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Algorithm::Rs256, Algorithm::Es256].into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// What a token says of its signature.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
}

/// A token's parts.
pub(crate) struct Jws<'a> {
    pub(crate) head: Head,
    /// What is signed: head and payload as they came.
    pub(crate) signed: &'a [u8],
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl<'a> Jws<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`Refused::MalformedToken`], [`Refused::WrongAlgorithm`].
    pub(crate) fn parse(token: &'a str) -> Result<Self, Refused> {
        if token.len() > TOKEN_BYTES {
            return Err(Refused::MalformedToken);
        }
        let mut parts = token.split('.');
        let (Some(head), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refused::MalformedToken);
        };
        Ok(Self {
            signed: &token.as_bytes()[..head.len() + 1 + payload.len()],
            head: Head::parse(&decode(head)?)?,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        let header: Header = serde_json::from_slice(bytes).map_err(|_| Refused::MalformedToken)?;
        let algorithm = Algorithm::named(&header.alg).ok_or(Refused::WrongAlgorithm)?;
        let id_fits = header.kid.as_ref().is_none_or(|id| id.chars().count() <= KEY_ID_CHARS);
        // `crit` lists what must be understood; whatever it lists is not.
        if header.crit.is_some() || !id_fits {
            return Err(Refused::MalformedToken);
        }
        Ok(Self { algorithm, key_id: header.kid })
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Refused> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::MalformedToken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(head: &Value) -> Result<Head, Refused> {
        let token = format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode(head.to_string()));
        Jws::parse(&token).map(|jws| jws.head)
    }

    #[test]
    fn only_two_algorithms_exist() {
        for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
            let head = parsed(&json!({ "alg": algorithm.name(), "kid": "k" }));
            assert_eq!(head, Ok(Head { algorithm, key_id: Some("k".to_owned()) }));
        }
        for other in ["none", "None", "HS256", "HS512", "RS384", "PS256", "ES384", "ES256K", "EdDSA", "rs256", ""] {
            assert_eq!(parsed(&json!({ "alg": other })), Err(Refused::WrongAlgorithm), "{other}");
        }
    }

    #[test]
    fn what_is_not_exactly_a_token_is_malformed() {
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
        let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","alg":"RS256"}"#);
        for token in [
            String::new(),
            "..".to_owned(),
            format!("{head}.e30"),
            format!("{head}.e30.c2ln."),
            format!("{head}.e30.c2ln.c2ln"),
            format!("{head}=.e30.c2ln"),
            format!("{head}.e30.c2ln=="),
            format!("{head}. e30.c2ln"),
            format!("{twice}.e30.c2ln"),
            format!("{head}.e30.{}", "a".repeat(TOKEN_BYTES)),
        ] {
            assert_eq!(Jws::parse(&token).err(), Some(Refused::MalformedToken), "{token}");
        }
        for head in [
            json!({ "alg": "RS256", "crit": ["exp"], "exp": 1 }),
            json!({ "alg": "RS256", "crit": [] }),
            json!({ "alg": "RS256", "kid": 7 }),
            json!({ "alg": "RS256", "kid": "k".repeat(KEY_ID_CHARS + 1) }),
            json!({ "alg": ["RS256"] }),
            json!({ "kid": "k" }),
            json!("RS256"),
        ] {
            assert_eq!(parsed(&head), Err(Refused::MalformedToken), "{head}");
        }
    }
}
