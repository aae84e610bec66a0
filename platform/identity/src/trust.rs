//! Whom we believe, and about what.

use crate::development::{ISSUER, OnThisMachine};
use crate::jwks::Jwks;

/// A trust that cannot be. Set another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTrust {
    /// There is no issuer.
    #[error("no issuer is named")]
    NoIssuer,
    /// There is no audience.
    #[error("no audience is named")]
    NoAudience,
    /// The issuer of development tokens is trusted by [`Trust::of_development`] only.
    #[error("{ISSUER} signs on the machine of a developer and nowhere else")]
    Development,
}

/// Tokens of these issuers, for this audience, signed with these keys, are believed.
#[derive(Debug, Clone)]
pub struct Trust {
    pub(crate) issuers: Vec<String>,
    pub(crate) audience: String,
    pub(crate) keys: Jwks,
}

impl Trust {
    /// Trust in `issuers`, names of one issuer.
    ///
    /// # Errors
    /// [`BadTrust`].
    pub fn new(issuers: Vec<String>, audience: String, keys: Jwks) -> Result<Self, BadTrust> {
        if issuers.is_empty() || issuers.iter().any(String::is_empty) {
            return Err(BadTrust::NoIssuer);
        }
        if audience.is_empty() {
            return Err(BadTrust::NoAudience);
        }
        if issuers.iter().any(|issuer| issuer == ISSUER) {
            return Err(BadTrust::Development);
        }
        Ok(Self { issuers, audience, keys })
    }

    /// Trust in the development key of this machine.
    ///
    /// # Errors
    /// [`BadTrust::NoAudience`].
    pub fn of_development(_here: OnThisMachine, audience: String, keys: Jwks) -> Result<Self, BadTrust> {
        if audience.is_empty() {
            return Err(BadTrust::NoAudience);
        }
        Ok(Self { issuers: vec![ISSUER.to_owned()], audience, keys })
    }
}
