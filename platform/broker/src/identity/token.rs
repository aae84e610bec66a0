//! The token of a push: whom it names, what it says, how long it is good for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::json;

use super::key::Key;
use crate::limits::{TOKEN_RENEW_SECONDS, TOKEN_SECONDS};

/// Whom a token names, and to whom.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Claimant {
    pub(crate) email: String,
    pub(crate) audience: String,
}

/// The claims Google's push tokens have.
#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    azp: &'a str,
    email: &'a str,
    email_verified: bool,
    exp: u64,
    iat: u64,
    iss: &'a str,
    sub: &'a str,
}

/// A signed token, as the header that carries it.
pub(super) struct Token {
    pub(super) header: HeaderValue,
    from_s: u64,
    until_s: u64,
}

impl Token {
    pub(super) fn new(key: &Key, claimant: &Claimant, issuer: &str, now_s: u64) -> Token {
        let until_s = now_s + TOKEN_SECONDS;
        let id = account_id(&claimant.email);
        let claims = Claims {
            aud: &claimant.audience,
            azp: &id,
            email: &claimant.email,
            email_verified: true,
            exp: until_s,
            iat: now_s,
            iss: issuer,
            sub: &id,
        };
        let head = json!({"alg": "RS256", "kid": key.id, "typ": "JWT"});
        let mut text = format!("Bearer {}.{}", part(&head), part(&claims));
        let signature = key.sign(&text.as_bytes()["Bearer ".len()..]);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        let mut header = HeaderValue::try_from(text).expect("base64url and dots can stand in a header");
        header.set_sensitive(true);
        Token { header, from_s: now_s, until_s }
    }

    /// Whether it is good long enough to be sent.
    pub(super) fn is_fresh(&self, now_s: u64) -> bool {
        self.from_s <= now_s && now_s + TOKEN_RENEW_SECONDS <= self.until_s
    }
}

fn part(value: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).expect("text, numbers and truth values are JSON"))
}

/// The number of a service account, 21 digits as Google's. There are no accounts here: it follows from the email.
fn account_id(email: &str) -> String {
    let hash = digest(&SHA256, email.as_bytes());
    let number = hash.as_ref().iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    format!("1{number:020}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_one_number_of_21_digits() {
        let id = account_id("oms@p.iam.gserviceaccount.com");
        assert_eq!(id, account_id("oms@p.iam.gserviceaccount.com"));
        assert_ne!(id, account_id("crm@p.iam.gserviceaccount.com"));
        assert!(id.len() == 21 && id.bytes().all(|b| b.is_ascii_digit()));
    }
}
