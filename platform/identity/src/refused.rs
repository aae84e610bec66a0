//! Why a caller is turned away.

/// Why a token is not believed, or its bearer not let in. The texts hold neither the token nor anything it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refused {
    /// There is no `Authorization: Bearer …`. Send a token.
    #[error("a token is needed: Authorization: Bearer …")]
    MissingToken,
    /// Not a token: too large, not three parts, not JSON, a claim of a wrong type, an extension nobody here knows, or more than one header.
    #[error("this is not a token")]
    MalformedToken,
    /// Signed with an algorithm that is not accepted, or not at all. RS256 and ES256 are.
    #[error("the token's algorithm is not accepted")]
    WrongAlgorithm,
    /// The issuer publishes no such key for signatures.
    #[error("the token's key is not among the issuer's")]
    UnknownKey,
    /// Not signed with that key.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// Too old. Get a new one.
    #[error("the token has expired")]
    Expired,
    /// From the future, by more than clocks may differ.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Good for longer than any token may be.
    #[error("the token is good for too long")]
    TooLong,
    /// From somebody we do not ask who people are.
    #[error("the token's issuer is not trusted here")]
    WrongIssuer,
    /// Meant for somebody else.
    #[error("the token is meant for another audience")]
    WrongAudience,
    /// Names an account that has no business here.
    #[error("the token's account has no business here")]
    WrongAccount,
    /// The issuer has not made sure that the email is the bearer's.
    #[error("the token's email is not verified")]
    UnverifiedEmail,
    /// The issuer's keys cannot be had, so nothing can be believed. Comes right by itself once they can.
    #[error("the issuer's keys are not available, try again later")]
    KeysUnavailable,
    /// We know who it is, and this door is not for them.
    #[error("this caller is not on the door's list")]
    NotAllowed,
}

impl Refused {
    /// Every reason.
    pub const ALL: [Refused; 14] = [
        Refused::MissingToken,
        Refused::MalformedToken,
        Refused::WrongAlgorithm,
        Refused::UnknownKey,
        Refused::BadSignature,
        Refused::Expired,
        Refused::NotYetValid,
        Refused::TooLong,
        Refused::WrongIssuer,
        Refused::WrongAudience,
        Refused::WrongAccount,
        Refused::UnverifiedEmail,
        Refused::KeysUnavailable,
        Refused::NotAllowed,
    ];

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Refused::MissingToken => "missing_token",
            Refused::MalformedToken => "malformed_token",
            Refused::WrongAlgorithm => "wrong_algorithm",
            Refused::UnknownKey => "unknown_key",
            Refused::BadSignature => "bad_signature",
            Refused::Expired => "expired",
            Refused::NotYetValid => "not_yet_valid",
            Refused::TooLong => "too_long",
            Refused::WrongIssuer => "wrong_issuer",
            Refused::WrongAudience => "wrong_audience",
            Refused::WrongAccount => "wrong_account",
            Refused::UnverifiedEmail => "unverified_email",
            Refused::KeysUnavailable => "keys_unavailable",
            Refused::NotAllowed => "not_allowed",
        }
    }

    /// 401, or 403 where it is known who asks.
    #[must_use]
    pub fn status(self) -> http::StatusCode {
        match self {
            Refused::WrongAccount | Refused::NotAllowed => http::StatusCode::FORBIDDEN,
            _ => http::StatusCode::UNAUTHORIZED,
        }
    }

    /// The value of `WWW-Authenticate` (RFC 6750, section 3). Who sent no token is not told of an error.
    #[must_use]
    pub fn challenge(self) -> http::HeaderValue {
        let error = match self {
            Refused::MissingToken => return http::HeaderValue::from_static("Bearer"),
            Refused::WrongAccount | Refused::NotAllowed => "insufficient_scope",
            _ => "invalid_token",
        };
        let text = format!("Bearer error=\"{error}\", error_description=\"{}\"", self.code());
        http::HeaderValue::try_from(text).expect("codes are letters and underscores")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_reason_has_a_code_of_its_own_and_a_status_that_keeps_out() {
        let codes: BTreeSet<&str> = Refused::ALL.into_iter().map(Refused::code).collect();
        assert_eq!(codes.len(), Refused::ALL.len());
        for refused in Refused::ALL {
            assert!(matches!(refused.status().as_u16(), 401 | 403), "{refused}");
            assert!(refused.challenge().to_str().unwrap().starts_with("Bearer"), "{refused}");
        }
    }
}
