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
    /// Base URL of the CRM. From `BOUTIQUE_CRM_URL`; required.
    pub crm_url: String,
    /// Base URL of the fraud engine. From `BOUTIQUE_FRAUD_ENGINE_URL`; required.
    pub fraud_engine_url: String,
    /// Base URL of the inventory service. From `BOUTIQUE_INVENTORY_URL`; required.
    pub inventory_url: String,
    /// Base URL of the furniture service. From `BOUTIQUE_FURNITURE_URL`; required.
    pub furniture_url: String,
    /// Base URL of the food service. From `BOUTIQUE_FOOD_URL`; required.
    pub food_url: String,
    /// Time one call to a required edge has, tries included, in milliseconds. From `BOUTIQUE_EDGE_TIMEOUT_MS`; 2000. 1..=60,000.
    pub edge_timeout_ms: u64,
    /// Time the fraud engine has, in milliseconds. From `BOUTIQUE_FRAUD_TIMEOUT_MS`; 300. 1..=60,000.
    pub fraud_timeout_ms: u64,
    /// How long stock is held for an order, in minutes. From `BOUTIQUE_HOLD_MINUTES`; 15. 1..=1,440.
    pub hold_minutes: u32,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first variable that is missing or out of its range.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            crm_url: url(environment, "BOUTIQUE_CRM_URL")?,
            fraud_engine_url: url(environment, "BOUTIQUE_FRAUD_ENGINE_URL")?,
            inventory_url: url(environment, "BOUTIQUE_INVENTORY_URL")?,
            furniture_url: url(environment, "BOUTIQUE_FURNITURE_URL")?,
            food_url: url(environment, "BOUTIQUE_FOOD_URL")?,
            edge_timeout_ms: within(environment, "BOUTIQUE_EDGE_TIMEOUT_MS", 2_000, MAX_TIMEOUT_MS)?,
            fraud_timeout_ms: within(environment, "BOUTIQUE_FRAUD_TIMEOUT_MS", 300, MAX_TIMEOUT_MS)?,
            hold_minutes: within(environment, "BOUTIQUE_HOLD_MINUTES", 15, MAX_HOLD_MINUTES)?,
        })
    }

    pub(crate) fn edge_timeout(&self) -> Duration {
        Duration::from_millis(self.edge_timeout_ms)
    }

    pub(crate) fn fraud_timeout(&self) -> Duration {
        Duration::from_millis(self.fraud_timeout_ms)
    }
}

fn url(environment: &Environment, name: &str) -> Result<String, ConfigError> {
    let url: String = environment.required(name)?;
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

    fn environment(extra: &[(&str, &str)]) -> Environment {
        let urls = ["CRM", "FRAUD_ENGINE", "INVENTORY", "FURNITURE", "FOOD"]
            .map(|name| (format!("BOUTIQUE_{name}_URL"), "http://127.0.0.1:1".to_owned()));
        let extra = extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Environment::of(urls.into_iter().chain(extra))
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let config = Config::from_environment(&environment(&[])).unwrap();
        assert_eq!((config.edge_timeout_ms, config.fraud_timeout_ms, config.hold_minutes), (2_000, 300, 15));
        let bad = [
            ("BOUTIQUE_CRM_URL", "ftp://x"),
            ("BOUTIQUE_HOLD_MINUTES", "0"),
            ("BOUTIQUE_EDGE_TIMEOUT_MS", "60001"),
            ("BOUTIQUE_FRAUD_TIMEOUT_MS", "soon"),
        ];
        for (name, value) in bad {
            let error = Config::from_environment(&environment(&[(name, value)])).unwrap_err();
            assert_eq!(error.name, name);
        }
        assert!(Config::from_environment(&Environment::default()).is_err());
    }
}
