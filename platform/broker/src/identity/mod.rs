//! Who the broker is to the endpoints it pushes to: a key, and tokens signed with it (OpenID Connect).
//!
//! The key is made when it is first asked for, or by [`Broker::prepare_to_sign`](crate::Broker::prepare_to_sign); a start never waits for it. Neither it nor a token is ever logged.

mod key;
mod token;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use http::HeaderValue;
use tokio::sync::OnceCell;

pub(crate) use self::key::Key;
pub(crate) use self::token::Claimant;
use self::token::Token;
use crate::sync::lock;

/// The broker's identity.
pub(crate) struct Identity {
    data: PathBuf,
    /// See [`crate::Settings::issuer`].
    pub(crate) issuer: String,
    key: OnceCell<Arc<Key>>,
    tokens: Mutex<HashMap<Arc<Claimant>, Token>>,
}

impl Identity {
    /// The identity of the broker with this data directory. Reads nothing yet.
    pub(crate) fn new(data: &Path, issuer: String) -> Identity {
        Identity { data: data.to_owned(), issuer, key: OnceCell::new(), tokens: Mutex::default() }
    }

    /// The key; made and kept if the data directory has none.
    ///
    /// # Errors
    /// When it can be neither read nor kept. It may be asked for again.
    pub(crate) async fn key(&self) -> io::Result<Arc<Key>> {
        let key = self.key.get_or_try_init(|| async {
            let data = self.data.clone();
            // Making one takes up to seconds of computing.
            let opened = tokio::task::spawn_blocking(move || Key::open(&data)).await;
            opened.map_err(io::Error::other)?.map(Arc::new)
        });
        key.await.cloned()
    }

    /// The `Authorization` header of a push at this time, in seconds since the epoch: a token in use, or a new one.
    pub(crate) fn authorization(&self, key: &Key, claimant: &Arc<Claimant>, now_s: u64) -> HeaderValue {
        let mut tokens = lock(&self.tokens);
        if let Some(token) = tokens.get(claimant).filter(|token| token.is_fresh(now_s)) {
            return token.header.clone();
        }
        // Those of subscriptions that are gone go, too.
        tokens.retain(|_, token| token.is_fresh(now_s));
        let token = Token::new(key, claimant, &self.issuer, now_s);
        let header = token.header.clone();
        tokens.insert(Arc::clone(claimant), token);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{TOKEN_RENEW_SECONDS, TOKEN_SECONDS};

    const NOW_S: u64 = 1_700_000_000;

    fn claimant(email: &str, audience: &str) -> Arc<Claimant> {
        Arc::new(Claimant { email: email.to_owned(), audience: audience.to_owned() })
    }

    #[tokio::test]
    async fn a_token_is_used_until_ten_minutes_are_left_and_each_claimant_has_its_own() {
        let data = tempfile::tempdir().unwrap();
        let identity = Identity::new(data.path(), "http://issuer".to_owned());
        let key = identity.key().await.unwrap();
        let oms = claimant("oms@p.test", "http://oms");
        let first = identity.authorization(&key, &oms, NOW_S);
        let again = |now_s| identity.authorization(&key, &claimant("oms@p.test", "http://oms"), now_s);
        assert!(first.is_sensitive());
        assert_eq!(again(NOW_S), first);
        assert_eq!(again(NOW_S + TOKEN_SECONDS - TOKEN_RENEW_SECONDS), first);
        let other = identity.authorization(&key, &claimant("oms@p.test", "http://crm"), NOW_S);
        assert_ne!(other, first);
        assert_ne!(identity.authorization(&key, &claimant("crm@p.test", "http://oms"), NOW_S), first);
        let renewed = again(NOW_S + TOKEN_SECONDS - TOKEN_RENEW_SECONDS + 1);
        assert_ne!(renewed, first);
        assert_eq!(lock(&identity.tokens).len(), 1, "old tokens are not kept");
        assert_ne!(again(NOW_S - 1), renewed, "a clock set back does not send a token from the future");
    }
}
