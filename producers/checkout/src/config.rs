//! Settings, read once from the environment.

use std::str::FromStr;
use std::time::Duration;

use runtime::config::{ConfigError, Environment};

/// Longest time an edge may be given, in milliseconds.
const MAX_TIMEOUT_MS: u64 = 60_000;
/// Longest hold, in minutes: a day.
const MAX_HOLD_MINUTES: u32 = 24 * 60;

/// Where the edges are and how long they may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Base URL of the CRM. From `BOUTIQUE_CRM_URL`; `http://127.0.0.1:8088`.
    pub crm_url: String,
    /// Base URL of the fraud engine. From `BOUTIQUE_FRAUD_ENGINE_URL`; `http://127.0.0.1:8091`.
    pub fraud_engine_url: String,
    /// Base URL of the inventory service. From `BOUTIQUE_INVENTORY_URL`; `http://127.0.0.1:8086`.
    pub inventory_url: String,
    /// Base URL of the furniture service. From `BOUTIQUE_FURNITURE_URL`; `http://127.0.0.1:8089`.
    pub furniture_url: String,
    /// Base URL of the food service. From `BOUTIQUE_FOOD_URL`; `http://127.0.0.1:8090`.
    pub food_url: String,
    /// Time one call to a required edge has, tries included, in milliseconds. From `BOUTIQUE_EDGE_TIMEOUT_MS`; 2000. 1..=60,000.
    pub edge_timeout_ms: u64,
    /// Time the fraud engine has, in milliseconds. From `BOUTIQUE_FRAUD_TIMEOUT_MS`; 300. 1..=60,000.
    pub fraud_timeout_ms: u64,
    /// How long stock is held for an order, in minutes. From `BOUTIQUE_HOLD_MINUTES`; 15. 1..=1,440.
    pub hold_minutes: u32,
}

impl Default for Config {
    fn default() -> Self {
        let local = |port: u16| format!("http://127.0.0.1:{port}");
        Self {
            crm_url: local(8088),
            fraud_engine_url: local(8091),
            inventory_url: local(8086),
            furniture_url: local(8089),
            food_url: local(8090),
            edge_timeout_ms: 2_000,
            fraud_timeout_ms: 300,
            hold_minutes: 15,
        }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first variable that is out of its range.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let default = Self::default();
        Ok(Self {
            crm_url: url(environment, "BOUTIQUE_CRM_URL", default.crm_url)?,
            fraud_engine_url: url(environment, "BOUTIQUE_FRAUD_ENGINE_URL", default.fraud_engine_url)?,
            inventory_url: url(environment, "BOUTIQUE_INVENTORY_URL", default.inventory_url)?,
            furniture_url: url(environment, "BOUTIQUE_FURNITURE_URL", default.furniture_url)?,
            food_url: url(environment, "BOUTIQUE_FOOD_URL", default.food_url)?,
            edge_timeout_ms: within(environment, "BOUTIQUE_EDGE_TIMEOUT_MS", default.edge_timeout_ms, MAX_TIMEOUT_MS)?,
            fraud_timeout_ms: within(
                environment,
                "BOUTIQUE_FRAUD_TIMEOUT_MS",
                default.fraud_timeout_ms,
                MAX_TIMEOUT_MS,
            )?,
            hold_minutes: within(environment, "BOUTIQUE_HOLD_MINUTES", default.hold_minutes, MAX_HOLD_MINUTES)?,
        })
    }

    pub(crate) fn edge_timeout(&self) -> Duration {
        Duration::from_millis(self.edge_timeout_ms)
    }

    pub(crate) fn fraud_timeout(&self) -> Duration {
        Duration::from_millis(self.fraud_timeout_ms)
    }
}

fn url(environment: &Environment, name: &str, default: String) -> Result<String, ConfigError> {
    let url = environment.or(name, default)?;
    if url.starts_with("http://") {
        return Ok(url);
    }
    Err(ConfigError { name: name.to_owned(), problem: format!("cannot be {url:?}: expected http://host:port") })
}

fn within<T>(environment: &Environment, name: &str, default: T, most: T) -> Result<T, ConfigError>
where
    T: FromStr + PartialOrd + Copy + From<u8> + std::fmt::Display,
{
    let value = environment.or(name, default)?;
    if value >= T::from(1) && value <= most {
        return Ok(value);
    }
    Err(ConfigError { name: name.to_owned(), problem: format!("cannot be {value}: expected 1 to {most}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str, value: &str) -> Environment {
        Environment::of([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn settings_out_of_range_are_named() {
        assert_eq!(Config::from_environment(&Environment::default()), Ok(Config::default()));
        let bad = [
            ("BOUTIQUE_CRM_URL", "ftp://x"),
            ("BOUTIQUE_HOLD_MINUTES", "0"),
            ("BOUTIQUE_EDGE_TIMEOUT_MS", "60001"),
            ("BOUTIQUE_FRAUD_TIMEOUT_MS", "soon"),
        ];
        for (name, value) in bad {
            let error = Config::from_environment(&environment(name, value)).unwrap_err();
            assert_eq!(error.name, name);
        }
    }
}
