//! Tokens that were verified: the same one comes with every push for an hour.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::digest::{SHA256, digest};

use crate::claims::Claims;
use crate::limits::{REMEMBERED_TOKENS, SKEW_S};

/// What a token is remembered by: whoever reads our memory finds no token in it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn of(token: &str) -> Self {
        let hash = digest(&SHA256, token.as_bytes());
        Self(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

/// Verified tokens, a bounded number of them.
#[derive(Default)]
pub(crate) struct Remembered(Mutex<HashMap<Fingerprint, Entry>>);

struct Entry {
    claims: Arc<Claims>,
    /// Of the keys it was verified with. With other keys it would have to be verified again.
    generation: u64,
}

impl Remembered {
    pub(crate) fn knows(&self, fingerprint: &Fingerprint) -> bool {
        self.entries().contains_key(fingerprint)
    }

    /// What the token says, if it was verified with keys of this generation.
    pub(crate) fn find(&self, fingerprint: &Fingerprint, generation: u64) -> Option<Arc<Claims>> {
        let entries = self.entries();
        entries.get(fingerprint).filter(|entry| entry.generation == generation).map(|entry| Arc::clone(&entry.claims))
    }

    pub(crate) fn keep(&self, fingerprint: Fingerprint, claims: Arc<Claims>, generation: u64, now_s: i64) {
        let mut entries = self.entries();
        if entries.len() >= REMEMBERED_TOKENS {
            let good = |entry: &Entry| entry.claims.expires_at_s + SKEW_S > now_s && entry.generation == generation;
            entries.retain(|_, entry| good(entry));
        }
        if entries.len() >= REMEMBERED_TOKENS {
            // Each costs a signature once more; choosing well would cost more than that.
            entries.clear();
        }
        entries.insert(fingerprint, Entry { claims, generation });
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Fingerprint, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tokens", self.entries().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(expires_at_s: i64) -> Arc<Claims> {
        Arc::new(Claims::parse(format!(r#"{{"exp":{expires_at_s}}}"#).as_bytes()).unwrap())
    }

    #[test]
    fn a_token_is_known_to_the_keys_it_was_verified_with() {
        let (remembered, token) = (Remembered::default(), Fingerprint::of("token"));
        remembered.keep(token.clone(), until(100), 1, 0);
        assert_eq!(remembered.find(&token, 1), Some(until(100)));
        assert_eq!(remembered.find(&token, 2), None);
        assert_eq!(remembered.find(&Fingerprint::of("other"), 1), None);
    }

    #[test]
    fn no_more_than_so_many_are_kept_and_the_dead_go_first() {
        let remembered = Remembered::default();
        let token = |number: usize| Fingerprint::of(&number.to_string());
        for number in 0..REMEMBERED_TOKENS {
            remembered.keep(token(number), until(if number == 7 { 1_000 } else { 100 }), 1, 0);
        }
        remembered.keep(token(REMEMBERED_TOKENS), until(1_000), 1, 500);
        assert!(remembered.find(&token(7), 1).is_some());
        assert_eq!(remembered.entries().len(), 2);
        for number in 0..2 * REMEMBERED_TOKENS {
            remembered.keep(token(number), until(1_000), 1, 500);
        }
        assert!(remembered.entries().len() <= REMEMBERED_TOKENS);
    }
}
