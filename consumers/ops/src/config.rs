//! What can be set from outside.

use std::collections::BTreeMap;
use std::time::Duration;

use events::topology;
use runtime::config::{ConfigError, Environment};

/// The longest time a setting may give, in milliseconds: a day.
const MAX_MS: u64 = 86_400_000;
/// Where services listen when everything runs on one machine.
const LOCAL_PORTS: [(&str, u16); 9] = [
    ("checkout", 8081),
    ("oms", 8082),
    ("accounting", 8083),
    ("warehouse", 8084),
    ("inventory", 8086),
    ("fraud-bridge", 8087),
    ("crm", 8088),
    ("furniture", 8089),
    ("scheduler", 8093),
];

/// The settings of ops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Base URLs of the services by name: every consumer, and who else says events. From `BOUTIQUE_<NAME>_URL`; their ports on this
    /// machine when not set.
    pub urls: BTreeMap<&'static str, String>,
    /// How long one call to a service may take. From `BOUTIQUE_OPS_PEER_TIMEOUT_MS`; 30,000: a dry run of a hundred
    /// events takes a busy consumer a while. 1..=86,400,000 ms.
    pub peer_timeout: Duration,
    /// How long a plan may be used. From `BOUTIQUE_OPS_PLAN_LIFE_MS`; 3,600,000. 1..=86,400,000 ms.
    pub plan_life: Duration,
    /// How long a replayed message may go without success or final failure before the replay stops itself. From
    /// `BOUTIQUE_OPS_SETTLE_PATIENCE_MS`; 60,000. 1..=86,400,000 ms.
    pub settle_patience: Duration,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let mut urls = BTreeMap::new();
        for name in services() {
            let variable = format!("BOUTIQUE_{}_URL", name.replace('-', "_").to_uppercase());
            let local = LOCAL_PORTS.iter().find(|(known, _)| *known == name);
            let default = local.map(|(_, port)| format!("http://127.0.0.1:{port}"));
            if let Some(default) = default.or_else(|| environment.text(&variable).map(ToOwned::to_owned)) {
                urls.insert(name, environment.urls(&variable, default)?);
            }
        }
        let time = |name: &str, default_ms: u64| environment.milliseconds(name, default_ms, MAX_MS);
        Ok(Self {
            urls,
            peer_timeout: time("BOUTIQUE_OPS_PEER_TIMEOUT_MS", 30_000)?,
            plan_life: time("BOUTIQUE_OPS_PLAN_LIFE_MS", 3_600_000)?,
            settle_patience: time("BOUTIQUE_OPS_SETTLE_PATIENCE_MS", 60_000)?,
        })
    }
}

/// Every service that says or hears events.
fn services() -> Vec<&'static str> {
    let mut names = topology::consumers();
    for name in topology::EVENTS.iter().flat_map(|row| row.said_by) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_consumer_has_an_address_and_a_bad_setting_is_named() {
        let plain = Config::from_environment(&Environment::default()).unwrap();
        for consumer in topology::consumers() {
            if consumer != "scheduler" {
                assert!(plain.urls.contains_key(consumer), "{consumer} has no port in LOCAL_PORTS");
            }
        }
        let of = |name: &str, value: &str| Environment::of([(name.to_owned(), value.to_owned())]);
        let moved = Config::from_environment(&of("BOUTIQUE_FRAUD_BRIDGE_URL", "http://bridge")).unwrap();
        assert_eq!(moved.urls["fraud-bridge"], "http://bridge");
        let bad = Config::from_environment(&of("BOUTIQUE_OPS_PLAN_LIFE_MS", "0")).unwrap_err();
        assert_eq!(bad.name, "BOUTIQUE_OPS_PLAN_LIFE_MS");
    }
}
