//! The service's settings.

use runtime::config::{ConfigError, Environment};

/// The service has no settings of its own: it calls nobody, and its limits are the ledger's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Config {}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// None today.
    pub fn from_environment(_: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {})
    }
}
