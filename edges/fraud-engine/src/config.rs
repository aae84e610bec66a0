//! What can be set from outside.

use events::topology::limits::INBOX_DAYS;
use runtime::config::{ConfigError, Environment};

/// The highest velocity limit: counting it stays cheap.
pub const MAX_VELOCITY_LIMIT: u32 = 100_000;

/// The longest retention, in days.
const MAX_RETENTION_DAYS: u32 = 3_650;

/// The settings of the fraud engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Orders a customer may place within ten minutes before it looks odd. From `BOUTIQUE_FRAUD_VELOCITY_LIMIT`, 20 when not
    /// set. 1..=100,000.
    pub velocity_limit: u32,
    /// Orders other customers may place to one address within ten minutes before it looks odd. From `BOUTIQUE_FRAUD_ADDRESS_LIMIT`,
    /// 5 when not set. 1..=100,000.
    pub address_limit: u32,
    /// How long transactions, and customers and devices that are not seen again, are remembered, in days. From
    /// `BOUTIQUE_FRAUD_RETENTION_DAYS`, 90 when not set. 22..=3,650: longer than events come again, so that an order is scored once.
    pub retention_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { velocity_limit: 20, address_limit: 5, retention_days: 90 }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let default = Self::default();
        let limit = 1..=MAX_VELOCITY_LIMIT;
        let days = INBOX_DAYS + 1..=MAX_RETENTION_DAYS;
        Ok(Self {
            velocity_limit: environment.within(
                "BOUTIQUE_FRAUD_VELOCITY_LIMIT",
                default.velocity_limit,
                limit.clone(),
            )?,
            address_limit: environment.within("BOUTIQUE_FRAUD_ADDRESS_LIMIT", default.address_limit, limit)?,
            retention_days: environment.within("BOUTIQUE_FRAUD_RETENTION_DAYS", default.retention_days, days)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        assert_eq!(Config::from_environment(&Environment::default()), Ok(Config::default()));
        let bad = [
            ("BOUTIQUE_FRAUD_VELOCITY_LIMIT", "0"),
            ("BOUTIQUE_FRAUD_ADDRESS_LIMIT", "100001"),
            ("BOUTIQUE_FRAUD_RETENTION_DAYS", "21"),
            ("BOUTIQUE_FRAUD_RETENTION_DAYS", "many"),
        ];
        for (name, value) in bad {
            let environment = Environment::of([(name.to_owned(), value.to_owned())]);
            assert_eq!(Config::from_environment(&environment).unwrap_err().name, name);
        }
    }
}
