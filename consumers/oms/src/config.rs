//! What OMS is told from outside, read once.

use std::time::Duration;

use runtime::config::{ConfigError, Environment};

/// Longest time one try of a call to the warehouse may be given, in milliseconds.
const MAX_PEER_TIMEOUT_MS: u64 = 20_000;

/// OMS's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The warehouse, asked to stop an order that is cancelled late. From BOUTIQUE_WAREHOUSE_URL, `http://host:port`; required.
    pub warehouse_url: String,
    /// How long one try of a call to the warehouse may take. From BOUTIQUE_PEER_TIMEOUT_MS. 1..=20,000 ms, 2,000 unless told.
    pub peer_timeout: Duration,
}

impl Default for Config {
    /// A warehouse that is out of reach: for tests that do not call it.
    fn default() -> Self {
        Self { warehouse_url: "http://127.0.0.1:9".to_owned(), peer_timeout: Duration::from_secs(2) }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or out of range.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let peer_timeout_ms: u64 = environment.or("BOUTIQUE_PEER_TIMEOUT_MS", 2_000)?;
        if !(1..=MAX_PEER_TIMEOUT_MS).contains(&peer_timeout_ms) {
            let problem = format!("must be 1 to {MAX_PEER_TIMEOUT_MS}");
            return Err(ConfigError { name: "BOUTIQUE_PEER_TIMEOUT_MS".to_owned(), problem });
        }
        Ok(Self {
            warehouse_url: environment.required("BOUTIQUE_WAREHOUSE_URL")?,
            peer_timeout: Duration::from_millis(peer_timeout_ms),
        })
    }
}
