//! The environment, read once into typed values.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use http::Uri;
pub use identity::development::CLOUD_VARIABLES;

use crate::balance::MAX_ADDRESSES;

/// A setting that cannot be used. Mend the environment and start again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} {problem}")]
pub struct ConfigError {
    /// The variable.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

impl ConfigError {
    /// What is wrong with the variable `name`.
    pub fn new(name: &str, problem: impl Into<String>) -> Self {
        Self { name: name.to_owned(), problem: problem.into() }
    }
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
    pub fn or<T: FromStr<Err: Display>>(&self, name: &str, default: T) -> Result<T, ConfigError> {
        match self.text(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|error| ConfigError::new(name, format!("cannot be {text:?}: {error}"))),
        }
    }

    /// The number in `name`, or `default`.
    ///
    /// # Errors
    /// [`ConfigError`] when it is no number, or not in `range`.
    pub fn within<T>(&self, name: &str, default: T, range: RangeInclusive<T>) -> Result<T, ConfigError>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.text(name) else { return Ok(default) };
        text.parse().ok().filter(|value| range.contains(value)).ok_or_else(|| {
            let (least, most) = range.into_inner();
            ConfigError::new(name, format!("cannot be {text:?}: expected a whole number from {least} to {most}"))
        })
    }

    /// The time in `name`, in milliseconds from 1 to `most_ms`, or `default_ms`.
    ///
    /// # Errors
    /// As [`Environment::within`].
    pub fn milliseconds(&self, name: &str, default_ms: u64, most_ms: u64) -> Result<Duration, ConfigError> {
        self.within(name, default_ms, 1..=most_ms).map(Duration::from_millis)
    }

    /// Where a service is, from `name`, or `default`: `http://host:port` or `https://host`, or several of these with commas between them.
    ///
    /// # Errors
    /// [`ConfigError`] when it is something else, or more than [`MAX_ADDRESSES`].
    pub fn urls(&self, name: &str, default: impl Into<String>) -> Result<String, ConfigError> {
        let text = self.text(name).map_or_else(|| default.into(), ToOwned::to_owned);
        let bases: Vec<&str> = text.split(',').map(str::trim).collect();
        if bases.len() <= MAX_ADDRESSES && bases.into_iter().all(is_base) {
            return Ok(text);
        }
        let expected =
            format!("expected http://host:port or https://host, or up to {MAX_ADDRESSES} of these with commas between");
        Err(ConfigError::new(name, format!("cannot be {text:?}: {expected}")))
    }

    /// The same for a service that must be named.
    ///
    /// # Errors
    /// As [`Environment::urls`], and when it is not set.
    pub fn required_urls(&self, name: &str) -> Result<String, ConfigError> {
        match self.text(name) {
            None => Err(ConfigError::new(name, "is not set: set it to http://host:port or https://host")),
            Some(_) => self.urls(name, String::new()),
        }
    }
}

/// Scheme and authority, and nothing that a path could be put behind wrongly.
fn is_base(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        && uri.query().is_none()
        && !text.contains('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str, value: &str) -> Environment {
        Environment::of([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn an_unusable_setting_is_named() {
        let many = environment("PORT", "many");
        assert_eq!(many.or("OTHER", 7u16), Ok(7));
        assert_eq!(
            many.or("PORT", 7u16).unwrap_err().to_string(),
            "PORT cannot be \"many\": invalid digit found in string"
        );
        for (value, is_taken) in [("1", true), ("9", true), ("0", false), ("10", false), ("-1", false), ("1.0", false)]
        {
            assert_eq!(environment("TRIES", value).within("TRIES", 3u8, 1..=9).is_ok(), is_taken, "{value}");
        }
        let soon = environment("PATIENCE_MS", "soon").milliseconds("PATIENCE_MS", 10, 60_000).unwrap_err();
        assert_eq!(soon.to_string(), "PATIENCE_MS cannot be \"soon\": expected a whole number from 1 to 60000");
    }

    #[test]
    fn a_service_is_at_an_http_or_https_address_or_at_several() {
        let read = |value: &str| environment("OMS", value).required_urls("OMS");
        for address in
            ["http://10.0.0.7:8080", "https://oms-x7f3.a.run.app", "https://api.example/oms/", "http://a:1, https://b"]
        {
            assert_eq!(read(address).as_deref(), Ok(address));
        }
        let many = vec!["http://a"; MAX_ADDRESSES + 1].join(",");
        for other in [
            "oms",
            "oms:8080",
            "ftp://a",
            "http://",
            "http://a:1,b:2",
            "http://a,",
            "http://u:p@a",
            "http://a?b=c",
            &many,
        ] {
            assert_eq!(read(other).unwrap_err().name, "OMS", "{other}");
        }
        assert!(read("").unwrap_err().to_string().starts_with("OMS is not set: "));
        assert_eq!(Environment::default().urls("OMS", "http://b").as_deref(), Ok("http://b"));
    }
}
