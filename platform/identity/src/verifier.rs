//! Decides whether a token is believed.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::claims::Claims;
use crate::jws::Jws;
use crate::limits::{LIFETIME_S, SKEW_S, TOKEN_BYTES};
use crate::refused::Refused;
use crate::remembered::{Fingerprint, Remembered};
use crate::trust::Trust;

/// Verifies tokens of one trust. Clones share its keys and what it remembers.
#[derive(Debug, Clone)]
pub struct Verifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    trust: Trust,
    remembered: Remembered,
}

impl Verifier {
    /// A verifier that believes what `trust` says.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self(Arc::new(Inner { trust, remembered: Remembered::default() }))
    }

    /// For whom tokens must be meant.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.0.trust.audience
    }

    /// What `token` says, if it is to be believed at `now_s`, seconds since the Unix epoch.
    ///
    /// A token that was verified before costs a hash and no signature, for as long as the issuer's keys are those it was verified with.
    ///
    /// # Errors
    /// [`Refused`]: neither the token nor what it says is in it.
    pub fn verify<'a>(&'a self, token: &'a str, now_s: i64) -> BoxFuture<'a, Result<Arc<Claims>, Refused>> {
        Box::pin(self.0.verify(token, now_s))
    }
}

impl Inner {
    async fn verify(&self, token: &str, now_s: i64) -> Result<Arc<Claims>, Refused> {
        if token.len() > TOKEN_BYTES {
            return Err(Refused::MalformedToken);
        }
        let fingerprint = Fingerprint::of(token);
        if self.remembered.knows(&fingerprint) {
            // Looks at the age of the keys, too: new ones make known tokens unknown.
            let generation = self.trust.keys.held(now_s).await?.generation;
            if let Some(claims) = self.remembered.find(&fingerprint, generation) {
                check_times(&claims, now_s)?;
                return Ok(claims);
            }
        }
        let jws = Jws::parse(token)?;
        let held = self.trust.keys.with_key_of(&jws.head, now_s).await?;
        let key = held.keys.find(&jws.head).ok_or(Refused::UnknownKey)?;
        key.verify(jws.signed, &jws.signature)?;
        let claims = Arc::new(Claims::parse(&jws.payload)?);
        self.check(&claims, now_s)?;
        self.remembered.keep(fingerprint, Arc::clone(&claims), held.generation, now_s);
        Ok(claims)
    }

    fn check(&self, claims: &Claims, now_s: i64) -> Result<(), Refused> {
        if !self.trust.issuers.contains(&claims.issuer) {
            return Err(Refused::WrongIssuer);
        }
        if !claims.audience.contains(&self.trust.audience) {
            return Err(Refused::WrongAudience);
        }
        check_times(claims, now_s)?;
        let since_s = claims.issued_at_s.unwrap_or(now_s - SKEW_S);
        if claims.expires_at_s - since_s > LIFETIME_S + SKEW_S {
            return Err(Refused::TooLong);
        }
        Ok(())
    }
}

fn check_times(claims: &Claims, now_s: i64) -> Result<(), Refused> {
    if claims.expires_at_s + SKEW_S <= now_s {
        return Err(Refused::Expired);
    }
    let from_s = claims.not_before_s.max(claims.issued_at_s);
    if from_s.is_some_and(|from_s| from_s > now_s + SKEW_S) { Err(Refused::NotYetValid) } else { Ok(()) }
}
