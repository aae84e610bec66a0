//! Settings, read once from the environment.

use std::time::Duration;

use runtime::config::{ConfigError, Environment};

/// Longest time a call may be given, in milliseconds.
const MAX_TIMEOUT_MS: u64 = 60_000;

/// Where the services are and how long they may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Base URL of checkout. From `BOUTIQUE_CHECKOUT_URL`; `http://127.0.0.1:8081`.
    pub checkout_url: String,
    /// Base URL of OMS. From `BOUTIQUE_OMS_URL`; `http://127.0.0.1:8082`.
    pub oms_url: String,
    /// Base URL of accounting. From `BOUTIQUE_ACCOUNTING_URL`; `http://127.0.0.1:8083`.
    pub accounting_url: String,
    /// Base URL of the warehouse. From `BOUTIQUE_WAREHOUSE_URL`; `http://127.0.0.1:8084`.
    pub warehouse_url: String,
    /// Base URL of the inventory service. From `BOUTIQUE_INVENTORY_URL`; `http://127.0.0.1:8086`.
    pub inventory_url: String,
    /// Base URL of the fraud bridge. From `BOUTIQUE_FRAUD_BRIDGE_URL`; `http://127.0.0.1:8087`.
    pub fraud_bridge_url: String,
    /// Base URL of the CRM. From `BOUTIQUE_CRM_URL`; `http://127.0.0.1:8088`.
    pub crm_url: String,
    /// Base URL of the furniture service. From `BOUTIQUE_FURNITURE_URL`; `http://127.0.0.1:8089`.
    pub furniture_url: String,
    /// Base URL of the food service. From `BOUTIQUE_FOOD_URL`; `http://127.0.0.1:8090`.
    pub food_url: String,
    /// Time a request that is passed on has, in milliseconds. From `BOUTIQUE_GATEWAY_TIMEOUT_MS`; 15,000. 1..=60,000.
    pub timeout_ms: u64,
    /// Time one part of a merged answer has, tries included, in milliseconds; a later part is missing.
    /// From `BOUTIQUE_GATEWAY_PART_TIMEOUT_MS`; 2,000. 1..=60,000.
    pub part_timeout_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        let local = |port: u16| format!("http://127.0.0.1:{port}");
        Self {
            checkout_url: local(8081),
            oms_url: local(8082),
            accounting_url: local(8083),
            warehouse_url: local(8084),
            inventory_url: local(8086),
            fraud_bridge_url: local(8087),
            crm_url: local(8088),
            furniture_url: local(8089),
            food_url: local(8090),
            timeout_ms: 15_000,
            part_timeout_ms: 2_000,
        }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first variable that cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let default = Self::default();
        Ok(Self {
            checkout_url: url(environment, "BOUTIQUE_CHECKOUT_URL", default.checkout_url)?,
            oms_url: url(environment, "BOUTIQUE_OMS_URL", default.oms_url)?,
            accounting_url: url(environment, "BOUTIQUE_ACCOUNTING_URL", default.accounting_url)?,
            warehouse_url: url(environment, "BOUTIQUE_WAREHOUSE_URL", default.warehouse_url)?,
            inventory_url: url(environment, "BOUTIQUE_INVENTORY_URL", default.inventory_url)?,
            fraud_bridge_url: url(environment, "BOUTIQUE_FRAUD_BRIDGE_URL", default.fraud_bridge_url)?,
            crm_url: url(environment, "BOUTIQUE_CRM_URL", default.crm_url)?,
            furniture_url: url(environment, "BOUTIQUE_FURNITURE_URL", default.furniture_url)?,
            food_url: url(environment, "BOUTIQUE_FOOD_URL", default.food_url)?,
            timeout_ms: timeout(environment, "BOUTIQUE_GATEWAY_TIMEOUT_MS", default.timeout_ms)?,
            part_timeout_ms: timeout(environment, "BOUTIQUE_GATEWAY_PART_TIMEOUT_MS", default.part_timeout_ms)?,
        })
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(crate) fn part_timeout(&self) -> Duration {
        Duration::from_millis(self.part_timeout_ms)
    }
}

fn url(environment: &Environment, name: &str, default: String) -> Result<String, ConfigError> {
    let url = environment.or(name, default)?;
    if url.starts_with("http://") {
        return Ok(url);
    }
    Err(ConfigError { name: name.to_owned(), problem: format!("cannot be {url:?}: expected http://host:port") })
}

fn timeout(environment: &Environment, name: &str, default: u64) -> Result<u64, ConfigError> {
    let value = environment.or(name, default)?;
    if (1..=MAX_TIMEOUT_MS).contains(&value) {
        return Ok(value);
    }
    Err(ConfigError { name: name.to_owned(), problem: format!("cannot be {value}: expected 1 to {MAX_TIMEOUT_MS}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        assert_eq!(Config::from_environment(&Environment::default()), Ok(Config::default()));
        for (name, value) in [("BOUTIQUE_OMS_URL", "oms"), ("BOUTIQUE_GATEWAY_TIMEOUT_MS", "0")] {
            let environment = Environment::of([(name.to_owned(), value.to_owned())]);
            assert_eq!(Config::from_environment(&environment).unwrap_err().name, name);
        }
    }
}
