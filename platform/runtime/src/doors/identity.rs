//! Who a service is, and whom it believes.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use events::envelope::SOURCE_PREFIX;
use http::{HeaderMap, HeaderValue};
use identity::{DevelopmentKey, NoToken, Refused, Signer, Trust, Verifier, bearer, development};
use tls::Tls;

use super::config::{LOCAL_DOMAIN, Settings};
use super::{Caller, Callers};
use crate::clock;
use crate::config::{ConfigError, Environment};
use crate::peer::Peer;

/// What the operator of one machine may do at the gateway: everything.
const OPERATOR_SCOPE: &str = "catalog:read orders:read orders:write orders:any metrics:read";

/// Who a service is when it calls, and whom it believes when it is called. Clones are the same.
#[derive(Clone)]
pub struct Identity {
    kind: Arc<Kind>,
    /// Who certifies whom we call.
    tls: Arc<Tls>,
}

enum Kind {
    /// Neither says who it is nor asks.
    OpenHouse,
    /// Calls, and is not called with tokens of services.
    Guest(Signer),
    /// Calls and is called.
    Host(Box<Host>),
}

struct Host {
    signer: Signer,
    /// Of other services and people.
    callers: Verifier,
    /// What follows the `@` in the email of everybody who may call.
    domain: String,
    /// Of Pub/Sub.
    push: Verifier,
    /// The email pushes come from.
    push_account: String,
}

/// Whom a service believes.
pub(super) struct Believed {
    pub(super) callers: Trust,
    pub(super) domain: String,
    pub(super) push: Trust,
    pub(super) push_account: String,
}

impl Identity {
    /// The identity of `service`, which listens at `listen`, from its environment. Nothing is fetched yet.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that is missing, wrong, or contradicts another.
    pub fn from_environment(service: &str, environment: &Environment, listen: SocketAddr) -> Result<Self, ConfigError> {
        let settings = Settings::from_environment(environment)?;
        let signer = settings.signer(service)?;
        let Believed { callers, domain, push, push_account } = settings.believed(service, environment, listen)?;
        let (callers, push) = (Verifier::new(callers), Verifier::new(push));
        let host = Host { signer, callers, domain, push, push_account };
        Ok(Self { kind: Arc::new(Kind::Host(Box::new(host))), tls: settings.tls() })
    }

    /// The identity of `name`, which calls services and is not called by them: the gateway's, a person's.
    ///
    /// # Errors
    /// As [`Identity::from_environment`].
    pub fn of_guest(name: &str, environment: &Environment) -> Result<Self, ConfigError> {
        let settings = Settings::from_environment(environment)?;
        Ok(Self { tls: settings.tls(), ..Self::of_signer(settings.signer(name)?) })
    }

    /// The operator of the shop of one machine, by the development key in `folder`.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn of_local_operator(folder: &Path) -> std::io::Result<Self> {
        let key = DevelopmentKey::open(&development::key_path(folder))?;
        let email = format!("{}@{LOCAL_DOMAIN}", Caller::Operator);
        Ok(Self::of_signer(Signer::of_development_client(key, email, OPERATOR_SCOPE.to_owned())))
    }

    /// Calls with what `signer` signs, and is not called.
    #[must_use]
    pub fn of_signer(signer: Signer) -> Self {
        Self { kind: Arc::new(Kind::Guest(signer)), tls: Arc::default() }
    }

    /// Neither says who it is nor asks who comes: for simulations and for tests within one process. There is no setting that leads here.
    #[doc(hidden)]
    #[must_use]
    pub fn open_house() -> Self {
        Self { kind: Arc::new(Kind::OpenHouse), tls: Arc::default() }
    }

    /// The service `name` at `base`, called as who we are; see [`Peer::new`].
    #[must_use]
    pub fn peer(&self, name: &'static str, base: &str, timeout: Duration) -> Peer {
        let peer = Peer::trusting(Arc::clone(&self.tls), name, base, timeout);
        match &*self.kind {
            Kind::OpenHouse => peer,
            Kind::Guest(signer) => peer.signed(signer.clone(), audience(name)),
            Kind::Host(host) => peer.signed(host.signer.clone(), audience(name)),
        }
    }

    /// The `Authorization` header of a call to `service` that is not a [`Peer`]'s; `None` for who says nothing.
    ///
    /// # Errors
    /// [`NoToken`].
    pub async fn authorization(&self, service: &str) -> Result<Option<HeaderValue>, NoToken> {
        let signer = match &*self.kind {
            Kind::OpenHouse => return Ok(None),
            Kind::Guest(signer) => signer,
            Kind::Host(host) => &host.signer,
        };
        signer.authorization(&audience(service), now_s()).await.map(Some)
    }

    pub(super) fn is_open_house(&self) -> bool {
        matches!(*self.kind, Kind::OpenHouse)
    }

    /// Who comes through a door for `callers`; nobody in particular through one for anybody.
    ///
    /// # Errors
    /// [`Refused`].
    pub(super) async fn admit(&self, callers: Callers, headers: &HeaderMap) -> Result<Option<Caller>, Refused> {
        match (&*self.kind, callers) {
            (Kind::OpenHouse, _) | (_, Callers::Anyone) => Ok(None),
            (Kind::Guest(_), _) => Err(Refused::NotAllowed),
            (Kind::Host(host), Callers::PubSub) => host.admit_push(headers).await.map(|()| None),
            (Kind::Host(host), Callers::These(list)) => host.admit_one_of(list, headers).await.map(Some),
        }
    }
}

impl Host {
    async fn admit_push(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let claims = self.push.verify(bearer(headers)?, now_s()).await?;
        let email = claims.email.as_deref().ok_or(Refused::WrongAccount)?;
        if !claims.email_verified {
            return Err(Refused::UnverifiedEmail);
        }
        if email == self.push_account { Ok(()) } else { Err(Refused::WrongAccount) }
    }

    async fn admit_one_of(&self, list: &[Caller], headers: &HeaderMap) -> Result<Caller, Refused> {
        let claims = self.callers.verify(bearer(headers)?, now_s()).await?;
        let email = claims.email.as_deref().ok_or(Refused::WrongAccount)?;
        if !claims.email_verified {
            return Err(Refused::UnverifiedEmail);
        }
        let (name, domain) = email.split_once('@').ok_or(Refused::WrongAccount)?;
        if domain != self.domain {
            return Err(Refused::WrongAccount);
        }
        let caller = Caller::named(name).ok_or(Refused::NotAllowed)?;
        if list.contains(&caller) { Ok(caller) } else { Err(Refused::NotAllowed) }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.kind {
            Kind::OpenHouse => f.write_str("Identity(open house)"),
            Kind::Guest(signer) => write!(f, "Identity({signer:?})"),
            Kind::Host(host) => write!(f, "Identity({:?}, {})", host.signer, host.callers.audience()),
        }
    }
}

/// For whom tokens for `service` are meant: the source of its events.
#[must_use]
pub fn audience(service: &str) -> String {
    format!("{SOURCE_PREFIX}{service}")
}

fn now_s() -> i64 {
    clock::now_ms() / 1_000
}
