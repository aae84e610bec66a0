//! What can be set from outside.

use runtime::config::{ConfigError, Environment};

/// The settings of the CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Spent amount from which a customer is silver, in hundredths of a USD. From `BOUTIQUE_SILVER_FROM_MINOR`, 100,000 when
    /// not set. 1 or more.
    pub silver_from_minor: i64,
    /// Spent amount from which a customer is gold, in hundredths of a USD. From `BOUTIQUE_GOLD_FROM_MINOR`, 500,000 when not
    /// set. At least `silver_from_minor`.
    pub gold_from_minor: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self { silver_from_minor: 100_000, gold_from_minor: 500_000 }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let default = Self::default();
        let this = Self {
            silver_from_minor: environment.or("BOUTIQUE_SILVER_FROM_MINOR", default.silver_from_minor)?,
            gold_from_minor: environment.or("BOUTIQUE_GOLD_FROM_MINOR", default.gold_from_minor)?,
        };
        let refuse =
            |name: &str, problem: &str| Err(ConfigError { name: name.to_owned(), problem: problem.to_owned() });
        if this.silver_from_minor < 1 {
            return refuse("BOUTIQUE_SILVER_FROM_MINOR", "must be 1 or more");
        }
        if this.gold_from_minor < this.silver_from_minor {
            return refuse("BOUTIQUE_GOLD_FROM_MINOR", "must be at least BOUTIQUE_SILVER_FROM_MINOR");
        }
        Ok(this)
    }
}
