//! Settings, read once from the environment.

use std::net::SocketAddr;
use std::time::Duration;

use identity::{Jwks, OnThisMachine, Trust, Verifier, development};
use runtime::config::{ConfigError, Environment};

use crate::admission::{Forwarding, Proxies, Rate};
use crate::streams::StreamLimits;

const ISSUER: &str = "BOUTIQUE_JWT_ISSUER";
const AUDIENCE: &str = "BOUTIQUE_JWT_AUDIENCE";
const JWKS: &str = "BOUTIQUE_JWT_JWKS";
/// Longest time a call may be given, in milliseconds.
const MAX_TIMEOUT_MS: u64 = 60_000;
/// Most requests a second, and at once, that a limit may be.
const MAX_RATE: u32 = 1_000_000;
/// Most connections one address may be given.
const MAX_CONNECTIONS: usize = 2_048;
/// Most streams there may be: each is a connection.
const MAX_STREAMS: usize = 2_000;

/// Where the services are, whom the gateway believes, and how much it takes from whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Whose tokens are believed.
    pub issuer: Issuer,
    /// Where the services are.
    pub services: Services,
    /// How many requests whom.
    pub rates: Rates,
    /// Proxies whose word on where a request came from is believed. From `BOUTIQUE_TRUSTED_PROXIES`, addresses and CIDRs with commas
    /// between, and `BOUTIQUE_FORWARDED_HEADER`, `x-forwarded-for` or `forwarded`: the one header that these write. None;
    /// `x-forwarded-for`.
    pub proxies: Proxies,
    /// Connections at once from one address, except from proxies. From `BOUTIQUE_CONNECTIONS_PER_ADDRESS`; 256. 1..=2,048.
    pub connections_per_address: usize,
    /// Time a request's head has, in milliseconds. From `BOUTIQUE_HEAD_TIMEOUT_MS`; 10,000. 1..=60,000.
    pub head_timeout_ms: u64,
    /// Time a request's body has, in milliseconds. From `BOUTIQUE_BODY_TIMEOUT_MS`; 30,000. 1..=60,000.
    pub body_timeout_ms: u64,
    /// Streams at once, and of one subject. From `BOUTIQUE_STREAMS`; 1,000, 1..=2,000. From `BOUTIQUE_STREAMS_PER_SUBJECT`; 8, 1..=2,000.
    pub streams: StreamLimits,
    /// Time a request that is passed on has, in milliseconds. From `BOUTIQUE_GATEWAY_TIMEOUT_MS`; 15,000. 1..=60,000.
    pub timeout_ms: u64,
    /// Time one part of a merged answer has, tries included, in milliseconds; a later part is missing.
    /// From `BOUTIQUE_GATEWAY_PART_TIMEOUT_MS`; 2,000. 1..=60,000.
    pub part_timeout_ms: u64,
}

/// The issuer of clients' tokens. There is no default: who may come in is not to be guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// `iss` of its tokens. From `BOUTIQUE_JWT_ISSUER`.
    pub name: String,
    /// `aud` of tokens for this gateway. From `BOUTIQUE_JWT_AUDIENCE`.
    pub audience: String,
    /// Where its keys are: `https://…`, `http://` of a loopback address, or `file:PATH`. From `BOUTIQUE_JWT_JWKS`.
    pub jwks: String,
    /// Proof that the development issuer may be believed, where it is the one; `None` for every other.
    pub development: Option<OnThisMachine>,
}

/// Base URLs of the services: `http://host:port` or `https://host`, or several with commas between; a call goes to the less busy of two
/// drawn by lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    /// From `BOUTIQUE_CHECKOUT_URL`; `http://127.0.0.1:8081`.
    pub checkout: String,
    /// From `BOUTIQUE_OMS_URL`; `http://127.0.0.1:8082`.
    pub oms: String,
    /// From `BOUTIQUE_ACCOUNTING_URL`; `http://127.0.0.1:8083`.
    pub accounting: String,
    /// From `BOUTIQUE_WAREHOUSE_URL`; `http://127.0.0.1:8084`.
    pub warehouse: String,
    /// From `BOUTIQUE_INVENTORY_URL`; `http://127.0.0.1:8086`.
    pub inventory: String,
    /// From `BOUTIQUE_FRAUD_BRIDGE_URL`; `http://127.0.0.1:8087`.
    pub fraud_bridge: String,
    /// From `BOUTIQUE_CRM_URL`; `http://127.0.0.1:8088`.
    pub crm: String,
    /// From `BOUTIQUE_FURNITURE_URL`; `http://127.0.0.1:8089`.
    pub furniture: String,
    /// From `BOUTIQUE_FOOD_URL`; `http://127.0.0.1:8090`.
    pub food: String,
}

/// Requests a second, over a longer time, and at once, after a while without any. 1..=1,000,000 each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Of one address (of IPv6 its /64), whoever it is. From `BOUTIQUE_RATE_ADDRESS_PER_S`; 200. From `BOUTIQUE_RATE_ADDRESS_BURST`; 400.
    pub address: Rate,
    /// Of one subject. From `BOUTIQUE_RATE_CUSTOMER_PER_S`; 50. From `BOUTIQUE_RATE_CUSTOMER_BURST`; 100.
    pub customer: Rate,
    /// Of one subject with `orders:any`. From `BOUTIQUE_RATE_STAFF_PER_S`; 5,000. From `BOUTIQUE_RATE_STAFF_BURST`; 10,000.
    pub staff: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self { address: Rate::new(200, 400), customer: Rate::new(50, 100), staff: Rate::new(5_000, 10_000) }
    }
}

impl Default for Services {
    fn default() -> Self {
        let local = |port: u16| format!("http://127.0.0.1:{port}");
        Self {
            checkout: local(8081),
            oms: local(8082),
            accounting: local(8083),
            warehouse: local(8084),
            inventory: local(8086),
            fraud_bridge: local(8087),
            crm: local(8088),
            furniture: local(8089),
            food: local(8090),
        }
    }
}

impl Config {
    /// A gateway that believes `issuer`, and everything else as it is unless told.
    #[must_use]
    pub fn of(issuer: Issuer) -> Self {
        Self {
            issuer,
            services: Services::default(),
            rates: Rates::default(),
            proxies: Proxies::default(),
            connections_per_address: 256,
            head_timeout_ms: 10_000,
            body_timeout_ms: 30_000,
            streams: StreamLimits { total: 1_000, per_subject: 8 },
            timeout_ms: 15_000,
            part_timeout_ms: 2_000,
        }
    }

    /// Reads the settings of a gateway that is to listen at `listen`.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first variable that is missing or cannot be used.
    pub fn from_environment(environment: &Environment, listen: SocketAddr) -> Result<Self, ConfigError> {
        let default = Self::of(Issuer::from_environment(environment, listen)?);
        let StreamLimits { total, per_subject } = default.streams;
        let (streams, timeout) = (1..=MAX_STREAMS, 1..=MAX_TIMEOUT_MS);
        let ms = |name: &str, default: u64| environment.within(name, default, timeout.clone());
        Ok(Self {
            services: Services::from_environment(environment)?,
            rates: Rates::from_environment(environment)?,
            proxies: proxies(environment)?,
            connections_per_address: environment.within(
                "BOUTIQUE_CONNECTIONS_PER_ADDRESS",
                default.connections_per_address,
                1..=MAX_CONNECTIONS,
            )?,
            head_timeout_ms: ms("BOUTIQUE_HEAD_TIMEOUT_MS", default.head_timeout_ms)?,
            body_timeout_ms: ms("BOUTIQUE_BODY_TIMEOUT_MS", default.body_timeout_ms)?,
            streams: StreamLimits {
                total: environment.within("BOUTIQUE_STREAMS", total, streams.clone())?,
                per_subject: environment.within("BOUTIQUE_STREAMS_PER_SUBJECT", per_subject, streams)?,
            },
            timeout_ms: ms("BOUTIQUE_GATEWAY_TIMEOUT_MS", default.timeout_ms)?,
            part_timeout_ms: ms("BOUTIQUE_GATEWAY_PART_TIMEOUT_MS", default.part_timeout_ms)?,
            ..default
        })
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(crate) fn part_timeout(&self) -> Duration {
        Duration::from_millis(self.part_timeout_ms)
    }
}

impl Issuer {
    /// Decides whether tokens are believed.
    ///
    /// # Errors
    /// [`ConfigError`] when the settings are none.
    pub(crate) fn verifier(&self) -> Result<Verifier, ConfigError> {
        let keys = Jwks::new(&self.jwks).or_else(|error| refuse(JWKS, error.to_string()))?;
        let trust = match self.development {
            Some(here) => Trust::of_development(here, self.audience.clone(), keys),
            None => Trust::new(vec![self.name.clone()], self.audience.clone(), keys),
        };
        trust.map(Verifier::new).or_else(|error| refuse(ISSUER, format!("cannot be used: {error}")))
    }

    fn from_environment(environment: &Environment, listen: SocketAddr) -> Result<Self, ConfigError> {
        let needed = |name: &str, what: &str| {
            environment
                .text(name)
                .map(ToOwned::to_owned)
                .ok_or_else(|| ConfigError::new(name, format!("is not set: {what}")))
        };
        let name = needed(ISSUER, "whose tokens (`iss`) are clients to bring?")?;
        let audience = needed(AUDIENCE, "for which audience (`aud`) are clients' tokens made?")?;
        let jwks = needed(JWKS, "where are the issuer's keys? https://… or file:PATH")?;
        let mut development = None;
        if name == development::ISSUER {
            let here = OnThisMachine::check(|name| environment.text(name).is_some(), listen);
            development = Some(here.or_else(|error| refuse(ISSUER, format!("cannot be {name}: {error}")))?);
        }
        let issuer = Self { name, audience, jwks, development };
        issuer.verifier().map(|_| issuer)
    }
}

impl Services {
    fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let default = Self::default();
        Ok(Self {
            checkout: environment.urls("BOUTIQUE_CHECKOUT_URL", default.checkout)?,
            oms: environment.urls("BOUTIQUE_OMS_URL", default.oms)?,
            accounting: environment.urls("BOUTIQUE_ACCOUNTING_URL", default.accounting)?,
            warehouse: environment.urls("BOUTIQUE_WAREHOUSE_URL", default.warehouse)?,
            inventory: environment.urls("BOUTIQUE_INVENTORY_URL", default.inventory)?,
            fraud_bridge: environment.urls("BOUTIQUE_FRAUD_BRIDGE_URL", default.fraud_bridge)?,
            crm: environment.urls("BOUTIQUE_CRM_URL", default.crm)?,
            furniture: environment.urls("BOUTIQUE_FURNITURE_URL", default.furniture)?,
            food: environment.urls("BOUTIQUE_FOOD_URL", default.food)?,
        })
    }
}

impl Rates {
    fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let rate = |whose: &str, default: Rate| {
            let per_second = format!("BOUTIQUE_RATE_{whose}_PER_S");
            let burst = format!("BOUTIQUE_RATE_{whose}_BURST");
            Ok(Rate::new(
                environment.within(&per_second, default.per_second.get(), 1..=MAX_RATE)?,
                environment.within(&burst, default.burst.get(), 1..=MAX_RATE)?,
            ))
        };
        let default = Self::default();
        Ok(Self {
            address: rate("ADDRESS", default.address)?,
            customer: rate("CUSTOMER", default.customer)?,
            staff: rate("STAFF", default.staff)?,
        })
    }
}

fn proxies(environment: &Environment) -> Result<Proxies, ConfigError> {
    let (networks, header) = ("BOUTIQUE_TRUSTED_PROXIES", "BOUTIQUE_FORWARDED_HEADER");
    let forwarding = match environment.text(header) {
        None => Forwarding::default(),
        Some(text) => text
            .parse()
            .or_else(|()| refuse(header, format!("cannot be {text:?}: expected x-forwarded-for or forwarded")))?,
    };
    Proxies::parse(environment.text(networks).unwrap_or_default(), forwarding)
        .or_else(|problem| refuse(networks, format!("cannot be used: {problem}")))
}

fn refuse<T>(name: &str, problem: String) -> Result<T, ConfigError> {
    Err(ConfigError::new(name, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: [(&str, &str); 3] =
        [(ISSUER, "https://issuer.example"), (AUDIENCE, "shop"), (JWKS, "https://issuer.example/keys")];

    fn read(settings: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let all = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_environment(&Environment::of(all), "127.0.0.1:8080".parse().unwrap())
    }

    #[test]
    fn who_is_believed_must_be_said() {
        assert!(read(&NEEDED).is_ok());
        for (missing, _) in NEEDED {
            let rest: Vec<_> = NEEDED.into_iter().filter(|(name, _)| *name != missing).collect();
            let error = read(&rest).unwrap_err();
            assert_eq!(error.name, missing);
            assert!(error.problem.starts_with("is not set: "), "{error}");
        }
    }

    #[test]
    fn the_development_issuer_is_believed_on_one_machine_only() {
        let local =
            [(ISSUER, development::ISSUER), NEEDED[1], (JWKS, "file:/keys.json"), ("PUBSUB_EMULATOR_HOST", "x:1")];
        assert!(read(&local).unwrap().issuer.development.is_some());
        assert_eq!(read(&local[..3]).unwrap_err().name, ISSUER, "Pub/Sub is Google's");
        let cloud: Vec<_> = local.into_iter().chain([("K_SERVICE", "gateway")]).collect();
        assert_eq!(read(&cloud).unwrap_err().name, ISSUER);
        let insecure = [NEEDED[0], NEEDED[1], (JWKS, "http://issuer.example/keys")];
        assert_eq!(read(&insecure).unwrap_err().name, JWKS);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        for (name, value) in [
            ("BOUTIQUE_OMS_URL", "oms"),
            ("BOUTIQUE_CRM_URL", "ftp://a"),
            ("BOUTIQUE_OMS_URL", "http://a:1,b:2"),
            ("BOUTIQUE_GATEWAY_TIMEOUT_MS", "0"),
            ("BOUTIQUE_RATE_STAFF_BURST", "1000001"),
            ("BOUTIQUE_STREAMS", "0"),
            ("BOUTIQUE_CONNECTIONS_PER_ADDRESS", "many"),
            ("BOUTIQUE_TRUSTED_PROXIES", "10.0.0.0/33"),
            ("BOUTIQUE_FORWARDED_HEADER", "x-real-ip"),
        ] {
            let settings: Vec<_> = NEEDED.into_iter().chain([(name, value)]).collect();
            assert_eq!(read(&settings).unwrap_err().name, name, "{value}");
        }
    }

    #[test]
    fn a_service_is_at_an_http_or_https_address_or_at_several() {
        for urls in ["http://a:1, http://b:2", "https://oms.example", "https://a.example, http://b:2"] {
            let settings: Vec<_> = NEEDED.into_iter().chain([("BOUTIQUE_OMS_URL", urls)]).collect();
            assert_eq!(read(&settings).unwrap().services.oms, urls);
        }
    }
}
