//! Who we are when we call: a token for each audience, kept until it is nearly over.

mod metadata;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use http::HeaderValue;

use self::metadata::MetadataServer;
use crate::claims::Claims;
use crate::development::{Bearer, DevelopmentKey};
use crate::jws::Jws;
use crate::limits::{AUDIENCES, DEVELOPMENT_TOKEN_S, NO_TOKEN_PAUSE_S, TOKEN_RENEW_S};

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
    flight: tokio::sync::Mutex<()>,
}

enum Source {
    Metadata(MetadataServer),
    Development { key: Box<DevelopmentKey>, email: String },
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
    until_s: i64,
}

impl Token {
    /// Whether it is good long enough to be sent. A clock that was set back does not send tokens from the future.
    fn is_fresh(&self, now_s: i64) -> bool {
        self.from_s <= now_s && now_s + TOKEN_RENEW_S < self.until_s
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
        Self::of(Source::Development { key: Box::new(key), email })
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
        Self(Arc::new(Inner { source, state: Mutex::default(), flight: tokio::sync::Mutex::default() }))
    }

    /// The `Authorization` header of a call to `audience` at `now_s`, seconds since the Unix epoch: marked as sensitive, so that it shows
    /// in no log.
    ///
    /// # Errors
    /// [`NoToken`].
    pub fn authorization<'a>(&'a self, audience: &'a str, now_s: i64) -> BoxFuture<'a, Result<HeaderValue, NoToken>> {
        Box::pin(async move {
            if let Some(header) = self.0.kept(audience, now_s) {
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
        if let Some(header) = self.kept(audience, now_s) {
            return Ok(header);
        }
        self.recent_failure(now_s)?;
        let got = self.source.token(audience, now_s).await.and_then(|token| Token::new(&token, now_s));
        self.keep(audience, got, now_s)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self, audience: &str, now_s: i64) -> Option<HeaderValue> {
        self.state().tokens.get(audience).filter(|token| token.is_fresh(now_s)).map(|token| token.header.clone())
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
                if state.tokens.len() >= AUDIENCES {
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
            Source::Development { key, email } => {
                let bearer = Bearer { subject: email, audience, email: Some(email), ..Bearer::default() };
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
        Ok(Self { header, from_s: now_s, until_s: claims.expires_at_s })
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
