//! The environment, read once into typed values.

use std::collections::BTreeMap;
use std::str::FromStr;

/// A setting that cannot be used. Mend the environment and start again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} {problem}")]
pub struct ConfigError {
    /// The variable.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

/// A set of environment variables.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The process's own.
    #[must_use]
    pub fn of_process() -> Self {
        Self(std::env::vars().collect())
    }

    /// A set made by hand.
    #[must_use]
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// The value of `name`, if it is set and not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of `name`, or `default`.
    ///
    /// # Errors
    /// [`ConfigError`] when it is set to something else.
    pub fn or<T: FromStr>(&self, name: &str, default: T) -> Result<T, ConfigError> {
        match self.text(name) {
            None => Ok(default),
            Some(text) => {
                let problem = format!("cannot be {text:?}: expected {}", std::any::type_name::<T>());
                text.parse().map_err(|_| ConfigError { name: name.to_owned(), problem })
            }
        }
    }

    /// The value of `name`.
    ///
    /// # Errors
    /// [`ConfigError`] when it is not set or cannot be read.
    pub fn required<T: FromStr>(&self, name: &str) -> Result<T, ConfigError> {
        let missing = ConfigError { name: name.to_owned(), problem: "is not set".to_owned() };
        let text = self.text(name).ok_or(missing)?;
        let problem = format!("cannot be {text:?}: expected {}", std::any::type_name::<T>());
        text.parse().map_err(|_| ConfigError { name: name.to_owned(), problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusable_setting_is_named() {
        let environment = Environment::of([("PORT".to_owned(), "many".to_owned())]);
        assert_eq!(environment.or("OTHER", 7u16), Ok(7));
        assert_eq!(environment.or("PORT", 7u16).map_err(|error| error.name), Err("PORT".to_owned()));
        assert!(environment.required::<u16>("OTHER").is_err());
    }
}
