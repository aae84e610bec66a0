//! What can be set from outside.

use std::time::Duration;

use runtime::Code;
use runtime::config::{CLOUD_VARIABLES, ConfigError, Environment};

/// The longest a call to the CRM may take, in milliseconds.
const MAX_TIMEOUT_MS: u64 = 30_000;

/// The settings of accounting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The CRM, `http://host:port` or `https://host`. From `BOUTIQUE_CRM_URL`, `http://127.0.0.1:8088` when not set.
    pub crm_url: String,
    /// How long one call to the CRM may take. From `BOUTIQUE_CRM_TIMEOUT_MS`, 2,000 when not set. 1..=30,000 ms.
    pub crm_timeout: Duration,
    /// A defect on purpose, to practise with: issuing an invoice fails with this code. From `BOUTIQUE_ACCOUNTING_FAIL`, none when not
    /// set. Refused in the cloud.
    pub fail: Option<Code>,
}

impl Default for Config {
    fn default() -> Self {
        Self { crm_url: "http://127.0.0.1:8088".to_owned(), crm_timeout: Duration::from_secs(2), fail: None }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            crm_url: environment.urls("BOUTIQUE_CRM_URL", Self::default().crm_url)?,
            crm_timeout: environment.milliseconds("BOUTIQUE_CRM_TIMEOUT_MS", 2_000, MAX_TIMEOUT_MS)?,
            fail: fail(environment)?,
        })
    }
}

fn fail(environment: &Environment) -> Result<Option<Code>, ConfigError> {
    let name = "BOUTIQUE_ACCOUNTING_FAIL";
    let Some(text) = environment.text(name) else { return Ok(None) };
    let refuse = |problem: String| ConfigError::new(name, problem);
    if CLOUD_VARIABLES.iter().any(|sign| environment.text(sign).is_some()) {
        return Err(refuse("is for practice on one machine, and refused in the cloud".to_owned()));
    }
    text.parse().map(Some).map_err(|error: runtime::codes::NoSuchCode| refuse(format!("cannot be used: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_environment(&Environment::of(owned))
    }

    #[test]
    fn a_defect_on_purpose_is_for_one_machine_only() {
        let broken = ("BOUTIQUE_ACCOUNTING_FAIL", "illegal_state");
        assert_eq!(of(&[]).unwrap().fail, None);
        assert_eq!(of(&[broken]).unwrap().fail, Some(Code::IllegalState));
        for cloud in CLOUD_VARIABLES {
            assert_eq!(of(&[broken, (cloud, "accounting")]).unwrap_err().name, broken.0);
        }
        assert_eq!(of(&[("BOUTIQUE_ACCOUNTING_FAIL", "no_such_code")]).unwrap_err().name, broken.0);
    }
}
