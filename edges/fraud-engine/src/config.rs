//! What can be set from outside.

use runtime::config::{ConfigError, Environment};

/// The highest velocity limit: counting it stays cheap.
pub const MAX_VELOCITY_LIMIT: u32 = 100_000;

/// The settings of the fraud engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Orders a customer may place within ten minutes before it looks odd. From `BOUTIQUE_FRAUD_VELOCITY_LIMIT`, 20 when not
    /// set. 1..=100,000.
    pub velocity_limit: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { velocity_limit: 20 }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let name = "BOUTIQUE_FRAUD_VELOCITY_LIMIT";
        let velocity_limit = environment.or(name, Self::default().velocity_limit)?;
        if !(1..=MAX_VELOCITY_LIMIT).contains(&velocity_limit) {
            let problem = format!("must be 1 to {MAX_VELOCITY_LIMIT}");
            return Err(ConfigError { name: name.to_owned(), problem });
        }
        Ok(Self { velocity_limit })
    }
}
