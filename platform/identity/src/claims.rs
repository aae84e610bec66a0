//! What a token says of its bearer.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde_json::{Number, Value};

use crate::refused::Refused;

/// The last second of the year 9999: later times are no times.
const LAST_S: f64 = 253_402_300_799.0;

/// What a verified token says. Personal data: none of it shows in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims {
    /// `iss`: who says so.
    pub issuer: String,
    /// `aud`: for whom it is meant.
    pub audience: Vec<String>,
    /// `sub`: the bearer, as the issuer knows them; empty when the token does not say.
    pub subject: String,
    /// `email`.
    pub email: Option<String>,
    /// `email_verified`: the issuer has made sure that the email is the bearer's.
    pub email_verified: bool,
    /// `scope`, words in a text, or `scp`, a list: what the bearer may do.
    pub scopes: BTreeSet<String>,
    /// `customer_id`: which customer of ours the bearer is.
    pub customer_id: Option<String>,
    /// `exp`, in seconds since the Unix epoch.
    pub expires_at_s: i64,
    /// `nbf`, in seconds since the Unix epoch.
    pub not_before_s: Option<i64>,
    /// `iat`, in seconds since the Unix epoch.
    pub issued_at_s: Option<i64>,
}

#[derive(Deserialize)]
struct Raw {
    iss: Option<String>,
    aud: Option<OneOrMany>,
    sub: Option<String>,
    email: Option<String>,
    email_verified: Option<Value>,
    scope: Option<OneOrMany>,
    scp: Option<OneOrMany>,
    customer_id: Option<String>,
    exp: Option<Number>,
    nbf: Option<Number>,
    iat: Option<Number>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Claims {
    /// Reads a token's payload.
    ///
    /// # Errors
    /// [`Refused::MalformedToken`]; [`Refused::Expired`] when it does not say until when it is good.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Refused> {
        let raw: Raw = serde_json::from_slice(payload).map_err(|_| Refused::MalformedToken)?;
        let seconds = |number: Option<Number>| number.map(|number| whole_seconds(&number)).transpose();
        let words = [raw.scope, raw.scp].into_iter().flatten();
        Ok(Self {
            issuer: raw.iss.unwrap_or_default(),
            audience: raw.aud.map(OneOrMany::list).unwrap_or_default(),
            subject: raw.sub.unwrap_or_default(),
            email: raw.email,
            // Anything but `true` is no.
            email_verified: raw.email_verified == Some(Value::Bool(true)),
            scopes: words.flat_map(OneOrMany::words).collect(),
            customer_id: raw.customer_id,
            expires_at_s: seconds(raw.exp)?.ok_or(Refused::Expired)?,
            not_before_s: seconds(raw.nbf)?,
            issued_at_s: seconds(raw.iat)?,
        })
    }
}

impl OneOrMany {
    fn list(self) -> Vec<String> {
        match self {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }

    fn words(self) -> Vec<String> {
        let split = |text: &String| text.split_ascii_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>();
        self.list().iter().flat_map(split).collect()
    }
}

/// The standard's times may have fractions.
fn whole_seconds(number: &Number) -> Result<i64, Refused> {
    let seconds = number.as_f64().filter(|seconds| (0.0..=LAST_S).contains(seconds)).ok_or(Refused::MalformedToken)?;
    #[expect(clippy::cast_possible_truncation, reason = "it is between the epoch and the year 9999")]
    Ok(number.as_i64().unwrap_or(seconds.floor() as i64))
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").field("expires_at_s", &self.expires_at_s).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(claims: &Value) -> Result<Claims, Refused> {
        Claims::parse(claims.to_string().as_bytes())
    }

    #[test]
    fn lists_and_texts_say_the_same() {
        let one = parsed(&json!({ "aud": "a", "scope": "orders:read orders:write", "exp": 1 })).unwrap();
        let many = parsed(&json!({ "aud": ["a"], "scp": ["orders:write", "orders:read"], "exp": 1.9 })).unwrap();
        assert_eq!(one, many);
        assert_eq!(one.scopes.len(), 2);
        assert_eq!(one.audience, ["a"]);
    }

    #[test]
    fn what_is_of_a_wrong_type_is_refused_and_no_expiry_is_expired() {
        assert_eq!(parsed(&json!({ "aud": "a" })), Err(Refused::Expired));
        for wrong in [
            json!({ "exp": "1" }),
            json!({ "exp": -1 }),
            json!({ "exp": 1e300 }),
            json!({ "exp": 1, "aud": 7 }),
            json!({ "exp": 1, "aud": [7] }),
            json!({ "exp": 1, "nbf": "soon" }),
            json!({ "exp": 1, "email": true }),
            json!([1]),
        ] {
            assert_eq!(parsed(&wrong), Err(Refused::MalformedToken), "{wrong}");
        }
        assert_eq!(Claims::parse(br#"{"exp":1,"exp":9}"#), Err(Refused::MalformedToken));
    }

    #[test]
    fn only_true_is_a_verified_email() {
        let verified = |value: Value| parsed(&json!({ "exp": 1, "email_verified": value })).unwrap().email_verified;
        assert!(verified(json!(true)));
        assert!(!verified(json!("true")) && !verified(json!(1)) && !verified(json!(null)));
    }

    #[test]
    fn nothing_personal_shows() {
        let claims = parsed(&json!({ "exp": 1, "sub": "anna", "email": "anna@example.com", "iss": "i" })).unwrap();
        assert!(!format!("{claims:?}").contains("anna"));
    }
}
