//! The service's settings.

use runtime::config::{ConfigError, Environment};

use crate::limits::MAX_TIMEOUT_MS;

/// The longest one call to inventory takes when nothing is said.
const DEFAULT_TIMEOUT_MS: u64 = 500;

/// Where inventory is and how long it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Base URL of the inventory service, `http://host:port` or `https://host`. From `BOUTIQUE_INVENTORY_URL`; required.
    pub inventory_url: String,
    /// The longest one call to inventory takes, in milliseconds. From `BOUTIQUE_FOOD_INVENTORY_TIMEOUT_MS`. 1..=60,000,
    /// default 500.
    pub inventory_timeout_ms: u64,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] for a setting that is missing or out of range.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let timeout = "BOUTIQUE_FOOD_INVENTORY_TIMEOUT_MS";
        Ok(Self {
            inventory_url: environment.required_urls("BOUTIQUE_INVENTORY_URL")?,
            inventory_timeout_ms: environment.within(timeout, DEFAULT_TIMEOUT_MS, 1..=MAX_TIMEOUT_MS)?,
        })
    }
}

/// Inventory on its port of this machine.
impl Default for Config {
    fn default() -> Self {
        Self { inventory_url: "http://127.0.0.1:8086".to_owned(), inventory_timeout_ms: DEFAULT_TIMEOUT_MS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_environment(&Environment::of(variables)).map_err(|error| error.name)
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_named() {
        let url = ("BOUTIQUE_INVENTORY_URL", "http://10.1.0.2:8080");
        let expected = Config { inventory_url: url.1.to_owned(), inventory_timeout_ms: 500 };
        assert_eq!(read(&[url]), Ok(expected));
        assert_eq!(read(&[]), Err("BOUTIQUE_INVENTORY_URL".to_owned()));
        assert_eq!(read(&[("BOUTIQUE_INVENTORY_URL", "ftp://x")]), Err("BOUTIQUE_INVENTORY_URL".to_owned()));
        let timeout = "BOUTIQUE_FOOD_INVENTORY_TIMEOUT_MS";
        for wrong in ["0", "60001", "soon"] {
            assert_eq!(read(&[url, (timeout, wrong)]), Err(timeout.to_owned()), "{wrong}");
        }
    }
}
