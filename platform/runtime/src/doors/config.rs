//! The settings of an identity. Without any of them, Google's is meant.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bus::provision::PushTo;
use identity::{
    BadSource, BadTrust, DevelopmentKey, GOOGLE_ISSUERS, GOOGLE_JWKS, Jwks, OnThisMachine, Signer, Trust, development,
};
use tls::Tls;

use super::identity::{Believed, audience};
use crate::config::{ConfigError, Environment};

const PUSH_ISSUER: &str = "BOUTIQUE_PUSH_ISSUER";
const PUSH_JWKS: &str = "BOUTIQUE_PUSH_JWKS";
const PUSH_ACCOUNT: &str = "BOUTIQUE_PUSH_ACCOUNT";
const CALLER_ISSUER: &str = "BOUTIQUE_CALLER_ISSUER";
const CALLER_JWKS: &str = "BOUTIQUE_CALLER_JWKS";
const CALLER_DOMAIN: &str = "BOUTIQUE_CALLER_DOMAIN";
const IDENTITY_KEY: &str = "BOUTIQUE_IDENTITY_KEY";
const METADATA_HOST: &str = "GCE_METADATA_HOST";
const TLS_ROOTS: &str = "BOUTIQUE_TLS_ROOTS";

/// The settings, as they are.
pub(super) struct Settings {
    /// Who signs what Pub/Sub's pushes carry. From `BOUTIQUE_PUSH_ISSUER`; Google.
    push_issuer: Option<String>,
    /// Where that issuer's keys are: `https://…`, `http://` of a loopback address, or `file:PATH`. From `BOUTIQUE_PUSH_JWKS`; Google's
    /// for Google, needed for any other issuer.
    push_jwks: Option<String>,
    /// The account of the push subscriptions. From `BOUTIQUE_PUSH_ACCOUNT`; `pubsub-push@` and the domain.
    push_account: Option<String>,
    /// Who signs what callers carry. From `BOUTIQUE_CALLER_ISSUER`; Google.
    caller_issuer: Option<String>,
    /// Where that issuer's keys are, as above. From `BOUTIQUE_CALLER_JWKS`; Google's for Google, those beside the development key for its
    /// issuer, needed for any other.
    caller_jwks: Option<String>,
    /// What follows the `@` in callers' emails, `<project>.iam.gserviceaccount.com`. From `BOUTIQUE_CALLER_DOMAIN`; needed, except with a
    /// development key: `local.iam.gserviceaccount.com`.
    domain: Option<String>,
    /// The development key that signs our own tokens. From `BOUTIQUE_IDENTITY_KEY`; none: the metadata server signs.
    key: Option<PathBuf>,
    /// Where the metadata server is. From `GCE_METADATA_HOST`; `metadata.google.internal`.
    metadata_host: Option<String>,
    /// A PEM file of authorities that may certify other services, beside those the platform trusts. From `BOUTIQUE_TLS_ROOTS`; none.
    tls_roots: Option<PathBuf>,
}

/// The domain of a shop that runs on one machine.
pub const LOCAL_DOMAIN: &str = "local.iam.gserviceaccount.com";
/// The name of the account push subscriptions have.
pub const PUSH_NAME: &str = "pubsub-push";

/// What the services of one machine are told, so that they call each other with the development key in `folder` and believe the pushes of
/// the broker at `host`, `ADDRESS:PORT`: variables and their values.
#[must_use]
pub fn on_this_machine(folder: &Path, host: &str) -> Vec<(String, String)> {
    let broker = format!("http://{host}");
    let settings = [
        (IDENTITY_KEY, development::key_path(folder).display().to_string()),
        (CALLER_ISSUER, development::ISSUER.to_owned()),
        (PUSH_JWKS, format!("{broker}/oauth2/v3/certs")),
        (PUSH_ISSUER, broker),
        ("PUBSUB_EMULATOR_HOST", host.to_owned()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    settings.into_iter().chain(clients_of_this_machine(folder)).collect()
}

/// What the gateway is told of clients' tokens on one machine: the development key in `folder` signs them (`boutique token`).
#[must_use]
pub fn clients_of_this_machine(folder: &Path) -> Vec<(String, String)> {
    let settings = [
        ("BOUTIQUE_JWT_ISSUER", development::ISSUER.to_owned()),
        ("BOUTIQUE_JWT_AUDIENCE", audience("gateway")),
        ("BOUTIQUE_JWT_JWKS", format!("file:{}", development::jwks_path(folder).display())),
    ];
    settings.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// How the broker of one machine is to push to `consumer` at `endpoint`.
#[must_use]
pub fn push_to(consumer: &str, endpoint: String) -> PushTo {
    PushTo { endpoint, account: format!("{PUSH_NAME}@{LOCAL_DOMAIN}"), audience: audience(consumer) }
}

impl Settings {
    pub(super) fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let text = |name| environment.text(name).map(ToOwned::to_owned);
        let this = Self {
            push_issuer: text(PUSH_ISSUER),
            push_jwks: text(PUSH_JWKS),
            push_account: text(PUSH_ACCOUNT),
            caller_issuer: text(CALLER_ISSUER),
            caller_jwks: text(CALLER_JWKS),
            domain: text(CALLER_DOMAIN),
            key: text(IDENTITY_KEY).map(PathBuf::from),
            metadata_host: text(METADATA_HOST),
            tls_roots: text(TLS_ROOTS).map(PathBuf::from),
        };
        match (this.key.is_some(), this.trusts_development()) {
            (true, false) => {
                refuse(CALLER_ISSUER, format!("must be {} where {IDENTITY_KEY} is set", development::ISSUER))
            }
            (false, true) => {
                refuse(IDENTITY_KEY, format!("must name a key where {CALLER_ISSUER} is {}", development::ISSUER))
            }
            _ => Ok(this),
        }
    }

    /// Who may certify the services we call.
    pub(super) fn tls(&self) -> Arc<Tls> {
        Arc::new(Tls::new(self.tls_roots.clone()))
    }

    fn trusts_development(&self) -> bool {
        self.caller_issuer.as_deref() == Some(development::ISSUER)
    }

    fn domain(&self) -> Result<&str, ConfigError> {
        match &self.domain {
            Some(domain) if domain.is_empty() || domain.contains('@') => {
                refuse(CALLER_DOMAIN, "must be what follows the @ in the callers' emails".to_owned())
            }
            Some(domain) => Ok(domain),
            None if self.key.is_some() => Ok(LOCAL_DOMAIN),
            None => refuse(CALLER_DOMAIN, "is not set: set it to <project>.iam.gserviceaccount.com".to_owned()),
        }
    }

    /// Who `name` is when it calls.
    pub(super) fn signer(&self, name: &str) -> Result<Signer, ConfigError> {
        let Some(path) = &self.key else { return Ok(Signer::of_metadata_server(self.metadata_host.as_deref())) };
        let key = DevelopmentKey::open(path);
        let key = key.or_else(|error| refuse(IDENTITY_KEY, format!("cannot be {}: {error}", path.display())))?;
        Ok(Signer::of_development(key, format!("{name}@{}", self.domain()?)))
    }

    /// Whom `service` believes.
    pub(super) fn believed(
        &self,
        service: &str,
        environment: &Environment,
        listen: SocketAddr,
    ) -> Result<Believed, ConfigError> {
        let domain = self.domain()?.to_owned();
        let push_account = self.push_account.clone().unwrap_or_else(|| format!("{PUSH_NAME}@{domain}"));
        let (push_issuers, push_keys) =
            believed_issuer(self.push_issuer.as_deref(), self.push_jwks.as_deref(), PUSH_JWKS)?;
        let push =
            Trust::new(push_issuers, audience(service), push_keys).or_else(|error| bad_trust(PUSH_ISSUER, &error))?;
        let callers = match &self.key {
            Some(key) => self.believe_development(key, service, environment, listen)?,
            None => {
                let (issuers, keys) =
                    believed_issuer(self.caller_issuer.as_deref(), self.caller_jwks.as_deref(), CALLER_JWKS)?;
                Trust::new(issuers, audience(service), keys).or_else(|error| bad_trust(CALLER_ISSUER, &error))?
            }
        };
        Ok(Believed { callers, domain, push, push_account })
    }

    fn believe_development(
        &self,
        key: &Path,
        service: &str,
        environment: &Environment,
        listen: SocketAddr,
    ) -> Result<Trust, ConfigError> {
        let here = OnThisMachine::check(|name| environment.text(name).is_some(), listen)
            .or_else(|error| refuse(CALLER_ISSUER, format!("cannot be {}: {error}", development::ISSUER)))?;
        let beside = || format!("file:{}", development::jwks_path(key.parent().unwrap_or(Path::new("."))).display());
        let keys = source(&self.caller_jwks.clone().unwrap_or_else(beside), CALLER_JWKS)?;
        Trust::of_development(here, audience(service), keys).or_else(|error| bad_trust(CALLER_ISSUER, &error))
    }
}

/// The names of an issuer and its keys.
fn believed_issuer(
    issuer: Option<&str>,
    jwks: Option<&str>,
    jwks_name: &str,
) -> Result<(Vec<String>, Jwks), ConfigError> {
    let is_google = issuer.is_none_or(|issuer| GOOGLE_ISSUERS.contains(&issuer));
    let issuers = match issuer {
        Some(issuer) if !is_google => vec![issuer.to_owned()],
        _ => GOOGLE_ISSUERS.map(ToOwned::to_owned).to_vec(),
    };
    match jwks {
        Some(jwks) => Ok((issuers, source(jwks, jwks_name)?)),
        None if is_google => Ok((issuers, source(GOOGLE_JWKS, jwks_name)?)),
        None => refuse(jwks_name, format!("is not set: where are the keys of {}?", issuers.join(", "))),
    }
}

fn source(text: &str, name: &str) -> Result<Jwks, ConfigError> {
    Jwks::new(text).or_else(|error: BadSource| refuse(name, error.to_string()))
}

fn bad_trust<T>(name: &str, error: &BadTrust) -> Result<T, ConfigError> {
    refuse(name, format!("cannot be used: {error}"))
}

fn refuse<T>(name: &str, problem: String) -> Result<T, ConfigError> {
    Err(ConfigError { name: name.to_owned(), problem })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doors::Identity;

    const LOOPBACK: &str = "127.0.0.1:8080";
    const HERE: (&str, &str) = ("PUBSUB_EMULATOR_HOST", "127.0.0.1:8085");
    const DOMAIN: (&str, &str) = (CALLER_DOMAIN, "shop.iam.gserviceaccount.com");

    /// The name of the setting that keeps a service from starting.
    fn at_fault(settings: &[(&str, &str)], listen: &str) -> Option<String> {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment::of(settings);
        Identity::from_environment("oms", &environment, listen.parse().unwrap()).err().map(|error| error.name)
    }

    #[test]
    fn google_is_meant_where_nothing_else_is_said_and_the_domain_must_be() {
        assert_eq!(at_fault(&[DOMAIN], "0.0.0.0:8080"), None);
        assert_eq!(at_fault(&[], LOOPBACK).as_deref(), Some(CALLER_DOMAIN));
        assert_eq!(at_fault(&[(CALLER_DOMAIN, "oms@shop")], LOOPBACK).as_deref(), Some(CALLER_DOMAIN));
        assert_eq!(at_fault(&[DOMAIN, (PUSH_JWKS, "file:/keys/google.json")], LOOPBACK), None);
    }

    #[test]
    fn another_issuer_needs_its_keys_from_a_safe_place() {
        let issuer = (CALLER_ISSUER, "https://issuer.example");
        assert_eq!(at_fault(&[DOMAIN, issuer], LOOPBACK).as_deref(), Some(CALLER_JWKS));
        assert_eq!(at_fault(&[DOMAIN, issuer, (CALLER_JWKS, "https://issuer.example/keys")], LOOPBACK), None);
        let unsafe_place = (CALLER_JWKS, "http://issuer.example/keys");
        assert_eq!(at_fault(&[DOMAIN, issuer, unsafe_place], LOOPBACK).as_deref(), Some(CALLER_JWKS));
        let push = (PUSH_ISSUER, "http://127.0.0.1:8085");
        assert_eq!(at_fault(&[DOMAIN, push], LOOPBACK).as_deref(), Some(PUSH_JWKS));
    }

    #[test]
    fn the_development_issuer_is_believed_on_one_machine_only_and_never_by_accident() {
        let folder = tempfile::tempdir().unwrap();
        DevelopmentKey::open_or_make(folder.path()).unwrap();
        let path = development::key_path(folder.path());
        let key = (IDENTITY_KEY, path.to_str().unwrap());
        let issuer = (CALLER_ISSUER, development::ISSUER);

        assert_eq!(at_fault(&[HERE, key, issuer], LOOPBACK), None);
        assert_eq!(at_fault(&[HERE, key], LOOPBACK).as_deref(), Some(CALLER_ISSUER));
        assert_eq!(at_fault(&[HERE, issuer, DOMAIN], LOOPBACK).as_deref(), Some(IDENTITY_KEY));
        assert_eq!(at_fault(&[HERE, issuer, (IDENTITY_KEY, "/nowhere")], LOOPBACK).as_deref(), Some(IDENTITY_KEY));
        let push = (PUSH_ISSUER, development::ISSUER);
        let jwks = (PUSH_JWKS, "file:/keys.json");
        assert_eq!(at_fault(&[HERE, key, issuer, push, jwks], LOOPBACK).as_deref(), Some(PUSH_ISSUER));

        for cloud in development::CLOUD_VARIABLES {
            assert_eq!(
                at_fault(&[HERE, key, issuer, (cloud, "x")], LOOPBACK).as_deref(),
                Some(CALLER_ISSUER),
                "{cloud}"
            );
        }
        assert_eq!(at_fault(&[key, issuer], LOOPBACK).as_deref(), Some(CALLER_ISSUER), "Pub/Sub is Google's");
        assert_eq!(at_fault(&[HERE, key, issuer], "0.0.0.0:8080").as_deref(), Some(CALLER_ISSUER), "others reach it");
    }
}
