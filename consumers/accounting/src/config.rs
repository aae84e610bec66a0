//! What can be set from outside.

use std::time::Duration;

use runtime::config::{ConfigError, Environment};

/// The longest a call to the CRM may take, in milliseconds.
const MAX_TIMEOUT_MS: u64 = 30_000;

/// The settings of accounting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The CRM, `http://host:port`. From `BOUTIQUE_CRM_URL`, `http://127.0.0.1:8088` when not set.
    pub crm_url: String,
    /// How long one call to the CRM may take. From `BOUTIQUE_CRM_TIMEOUT_MS`, 2,000 when not set. 1..=30,000 ms.
    pub crm_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { crm_url: "http://127.0.0.1:8088".to_owned(), crm_timeout: Duration::from_secs(2) }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let name = "BOUTIQUE_CRM_TIMEOUT_MS";
        let timeout_ms: u64 = environment.or(name, 2_000)?;
        if !(1..=MAX_TIMEOUT_MS).contains(&timeout_ms) {
            return Err(ConfigError { name: name.to_owned(), problem: format!("must be 1 to {MAX_TIMEOUT_MS}") });
        }
        Ok(Self {
            crm_url: environment.or("BOUTIQUE_CRM_URL", Self::default().crm_url)?,
            crm_timeout: Duration::from_millis(timeout_ms),
        })
    }
}
