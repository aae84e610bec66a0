//! What can be set from outside.

use std::time::Duration;

use runtime::config::{ConfigError, Environment};

/// The longest a question may take, in milliseconds.
const MAX_TIMEOUT_MS: u64 = 30_000;

/// The settings of the fraud bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The fraud engine, `http://host:port` or `https://host`. From `BOUTIQUE_FRAUD_ENGINE_URL`, `http://127.0.0.1:8091` when not set.
    pub fraud_engine_url: String,
    /// How long one question may take. From `BOUTIQUE_FRAUD_BRIDGE_TIMEOUT_MS`, 2,000 when not set. 1..=30,000 ms.
    pub timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { fraud_engine_url: "http://127.0.0.1:8091".to_owned(), timeout: Duration::from_secs(2) }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let default = Self::default();
        Ok(Self {
            fraud_engine_url: environment.urls("BOUTIQUE_FRAUD_ENGINE_URL", default.fraud_engine_url)?,
            timeout: environment.milliseconds("BOUTIQUE_FRAUD_BRIDGE_TIMEOUT_MS", 2_000, MAX_TIMEOUT_MS)?,
        })
    }
}
