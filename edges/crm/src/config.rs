//! What can be set from outside.

use runtime::config::{ConfigError, Environment};

use crate::vault::MasterKey;

/// The variable of the master key.
pub const PERSONAL_KEY: &str = "BOUTIQUE_PERSONAL_KEY";
/// The variable of the master key before.
const PERSONAL_KEY_BEFORE: &str = "BOUTIQUE_PERSONAL_KEY_BEFORE";

/// The settings of the CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Spent amount from which a customer is silver, in hundredths of a USD. From `BOUTIQUE_SILVER_FROM_MINOR`, 100,000 when
    /// not set. 1 or more.
    pub silver_from_minor: i64,
    /// Spent amount from which a customer is gold, in hundredths of a USD. From `BOUTIQUE_GOLD_FROM_MINOR`, 500,000 when not
    /// set. At least `silver_from_minor`.
    pub gold_from_minor: i64,
    /// The key that the customers' keys are wrapped under. From `BOUTIQUE_PERSONAL_KEY`, 32 random bytes in base64, from a secret manager.
    /// There is no default: without it the service does not start.
    pub master_key: MasterKey,
    /// The key before, for the one start that wraps everything anew under `master_key`. From `BOUTIQUE_PERSONAL_KEY_BEFORE`, none when not
    /// set.
    pub master_key_before: Option<MasterKey>,
}

impl Config {
    /// The defaults, with a master key.
    #[must_use]
    pub fn new(master_key: MasterKey) -> Self {
        Self { silver_from_minor: 100_000, gold_from_minor: 500_000, master_key, master_key_before: None }
    }

    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let refuse = |name: &str, problem: &str| Err(ConfigError::new(name, problem));
        let Some(master_key) = key(environment, PERSONAL_KEY)? else {
            return refuse(PERSONAL_KEY, "is not set: customers cannot be read or written without it");
        };
        let default = Self::new(master_key);
        let this = Self {
            silver_from_minor: environment.or("BOUTIQUE_SILVER_FROM_MINOR", default.silver_from_minor)?,
            gold_from_minor: environment.or("BOUTIQUE_GOLD_FROM_MINOR", default.gold_from_minor)?,
            master_key_before: key(environment, PERSONAL_KEY_BEFORE)?,
            ..default
        };
        if this.silver_from_minor < 1 {
            return refuse("BOUTIQUE_SILVER_FROM_MINOR", "must be 1 or more");
        }
        if this.gold_from_minor < this.silver_from_minor {
            return refuse("BOUTIQUE_GOLD_FROM_MINOR", "must be at least BOUTIQUE_SILVER_FROM_MINOR");
        }
        Ok(this)
    }
}

fn key(environment: &Environment, name: &str) -> Result<Option<MasterKey>, ConfigError> {
    let parsed = environment.text(name).map(MasterKey::parse).transpose();
    parsed.map_err(|problem| ConfigError::new(name, problem))
}
