//! Who we are when we call: a token for each audience, kept until it is nearly over and renewed beside the calls that go on with it.

mod metadata;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use http::HeaderValue;
use tracing::warn;

use self::metadata::MetadataServer;
use crate::claims::Claims;
use crate::development::{Bearer, DevelopmentKey};
use crate::jws::Jws;
use crate::limits::{
    AUDIENCES, DEVELOPMENT_TOKEN_S, NO_TOKEN_PAUSE_S, TOKEN_LEAST_S, TOKEN_RENEW_PAUSE_S, TOKEN_RENEW_S,
};

/// No token could be had. Trying again may help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no token to say who we are: {0}")]
pub struct NoToken(String);

/// Where our tokens come from. Clones share them.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    source: Source,
    state: Mutex<State>,
    /// Held while a token is being got: one at a time.
    flight: Arc<tokio::sync::Mutex<()>>,
}

enum Source {
    Metadata(MetadataServer),
    Development { key: Box<DevelopmentKey>, email: String, scope: Option<String> },
    Given(String),
}

#[derive(Default)]
struct State {
    tokens: HashMap<String, Token>,
    failure: Option<(i64, NoToken)>,
}

struct Token {
    header: HeaderValue,
    from_s: i64,
    renew_from_s: i64,
    until_s: i64,
}

impl Token {
    /// Whether it is good long enough to be sent. A clock that was set back does not send tokens from the future.
    fn serves(&self, now_s: i64) -> bool {
        self.from_s <= now_s && now_s + TOKEN_LEAST_S < self.until_s
    }

    fn is_due(&self, now_s: i64) -> bool {
        now_s >= self.renew_from_s
    }
}

impl Signer {
    /// Google's: the metadata server of the machine or container we run on. `host` is the value of `GCE_METADATA_HOST`, if it is set.
    #[must_use]
    pub fn of_metadata_server(host: Option<&str>) -> Self {
        Self::of(Source::Metadata(MetadataServer::new(host)))
    }

    /// The development key's, as `email`.
    #[must_use]
    pub fn of_development(key: DevelopmentKey, email: String) -> Self {
        Self::of(Source::Development { key: Box::new(key), email, scope: None })
    }

    /// The development key's, as `email`, with what it may do as a client.
    #[must_use]
    pub fn of_development_client(key: DevelopmentKey, email: String, scope: String) -> Self {
        Self::of(Source::Development { key: Box::new(key), email, scope: Some(scope) })
    }

    /// A token that was given, whatever the audience.
    ///
    /// # Errors
    /// [`NoToken`] when it is none.
    pub fn of_token(token: String) -> Result<Self, NoToken> {
        Token::new(&token, 0)?;
        Ok(Self::of(Source::Given(token)))
    }

    fn of(source: Source) -> Self {
        Self(Arc::new(Inner { source, state: Mutex::default(), flight: Arc::default() }))
    }

    /// The `Authorization` header of a call to `audience` at `now_s`, seconds since the Unix epoch: marked as sensitive, so that it shows
    /// in no log.
    ///
    /// Who has a token that is nearly over gets that one, and does not wait for the next.
    ///
    /// # Errors
    /// [`NoToken`] when there is none that serves and none can be got.
    pub fn authorization<'a>(&'a self, audience: &'a str, now_s: i64) -> BoxFuture<'a, Result<HeaderValue, NoToken>> {
        Box::pin(async move {
            if let Some((header, is_due)) = self.0.kept(audience, now_s) {
                if is_due {
                    self.0.renew(audience, now_s);
                }
                return Ok(header);
            }
            let (inner, audience) = (Arc::clone(&self.0), audience.to_owned());
            // A task of its own: a call that has run out of time does not stop what others wait for.
            let got = tokio::spawn(async move { inner.get(&audience, now_s).await });
            got.await.unwrap_or_else(|error| Err(NoToken(error.to_string())))
        })
    }
}

impl Inner {
    async fn get(&self, audience: &str, now_s: i64) -> Result<HeaderValue, NoToken> {
        let _flight = self.flight.lock().await;
        // While this waited, another may have got it, or tried in vain.
        if let Some((header, _)) = self.kept(audience, now_s) {
            return Ok(header);
        }
        self.recent_failure(now_s)?;
        let got = self.source.token(audience, now_s).await.and_then(|token| Token::new(&token, now_s));
        self.keep(audience, got, now_s)
    }

    /// Gets the next token while the kept one serves: in a task of its own, unless one is being got, and not again for a while.
    fn renew(self: &Arc<Self>, audience: &str, now_s: i64) {
        let Ok(flight) = Arc::clone(&self.flight).try_lock_owned() else { return };
        match self.state().tokens.get_mut(audience) {
            Some(token) if token.is_due(now_s) => token.renew_from_s = now_s + TOKEN_RENEW_PAUSE_S,
            // Another has renewed it since.
            _ => return,
        }
        let (inner, audience) = (Arc::clone(self), audience.to_owned());
        tokio::spawn(async move {
            let _flight = flight;
            let got = inner.source.token(&audience, now_s).await.and_then(|token| Token::new(&token, now_s));
            if let Err(failure) = inner.keep(&audience, got, now_s) {
                warn!(%failure, "our token cannot be renewed, the one we have is sent for as long as it is good");
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What can be sent, and whether it is time to renew it.
    fn kept(&self, audience: &str, now_s: i64) -> Option<(HeaderValue, bool)> {
        let state = self.state();
        let token = state.tokens.get(audience).filter(|token| token.serves(now_s))?;
        Some((token.header.clone(), token.is_due(now_s)))
    }

    fn recent_failure(&self, now_s: i64) -> Result<(), NoToken> {
        match &self.state().failure {
            Some((at_s, failure)) if (0..NO_TOKEN_PAUSE_S).contains(&(now_s - at_s)) => Err(failure.clone()),
            _ => Ok(()),
        }
    }

    fn keep(&self, audience: &str, got: Result<Token, NoToken>, now_s: i64) -> Result<HeaderValue, NoToken> {
        let mut state = self.state();
        match got {
            Err(failure) => {
                state.failure = Some((now_s, failure.clone()));
                Err(failure)
            }
            Ok(token) => {
                state.failure = None;
                let kept = state.tokens.get(audience);
                if let Some(better) = kept.filter(|kept| kept.serves(now_s) && kept.until_s > token.until_s) {
                    return Ok(better.header.clone());
                }
                if kept.is_none() && state.tokens.len() >= AUDIENCES {
                    state.tokens.clear();
                }
                let header = token.header.clone();
                state.tokens.insert(audience.to_owned(), token);
                Ok(header)
            }
        }
    }
}

impl Source {
    async fn token(&self, audience: &str, now_s: i64) -> Result<String, NoToken> {
        match self {
            Source::Metadata(server) => server.token(audience).await.map_err(NoToken),
            Source::Development { key, email, scope } => {
                let scope = scope.as_deref();
                let bearer = Bearer { subject: email, audience, email: Some(email), scope, customer_id: None };
                key.sign(&bearer, now_s, DEVELOPMENT_TOKEN_S).map_err(|error| NoToken(error.to_string()))
            }
            Source::Given(token) => Ok(token.clone()),
        }
    }
}

impl Token {
    /// A token of ours: when it ends is read from it, that it is good is for others to say.
    fn new(token: &str, now_s: i64) -> Result<Self, NoToken> {
        let not_one = |_| NoToken("what was got is no token".to_owned());
        let claims = Jws::parse(token).and_then(|jws| Claims::parse(&jws.payload)).map_err(not_one)?;
        let mut header = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| NoToken("what was got cannot stand in a header".to_owned()))?;
        header.set_sensitive(true);
        let until_s = claims.expires_at_s;
        // Also when it is nearly over as it comes, or the one we had: the next may be another only after a while.
        let renew_from_s = (until_s - TOKEN_RENEW_S).max(now_s + TOKEN_RENEW_PAUSE_S);
        Ok(Self { header, from_s: now_s, renew_from_s, until_s })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0.source {
            Source::Metadata(_) => "Signer(metadata server)",
            Source::Development { .. } => "Signer(development key)",
            Source::Given(_) => "Signer(given token)",
        })
    }
}
