#![doc = include_str!("../README.md")]

mod bearer;
mod claims;
mod client;
pub mod development;
mod jwk;
mod jwks;
mod jws;
pub mod limits;
mod refused;
mod remembered;
mod signer;
mod trust;
mod verifier;
#[cfg(test)]
mod wycheproof;

pub use bearer::bearer;
pub use claims::Claims;
pub use development::{DevelopmentKey, OnThisMachine};
pub use jwks::{BadSource, Jwks};
pub use refused::Refused;
pub use signer::{NoToken, Signer};
pub use trust::{BadTrust, Trust};
pub use verifier::Verifier;

/// The issuers of Google's ID tokens: the second is how older tokens have it.
pub const GOOGLE_ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];
/// The keys of Google's ID tokens.
pub const GOOGLE_JWKS: &str = "https://www.googleapis.com/oauth2/v3/certs";
