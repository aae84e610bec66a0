//! What the warehouse is told from outside, read once.

use std::time::Duration;

use runtime::config::{ConfigError, Environment};

/// Longest time one try of a call to another service may be given, in milliseconds.
const MAX_PEER_TIMEOUT_MS: u64 = 20_000;
/// The longest delay: 30 days in milliseconds.
const MAX_DELAY_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// How long packing and carrying take here. With 0 the step is done in the transaction of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// From creation to dispatch. From BOUTIQUE_DISPATCH_DELAY_MS. 0..=2,592,000,000 ms, 1,000 unless told.
    pub dispatch_ms: i64,
    /// From dispatch to delivery. From BOUTIQUE_DELIVER_DELAY_MS. 0..=2,592,000,000 ms, 1,000 unless told.
    pub deliver_ms: i64,
}

impl Default for Delays {
    fn default() -> Self {
        Self { dispatch_ms: 1_000, deliver_ms: 1_000 }
    }
}

impl Delays {
    /// Every step at once.
    pub const NONE: Delays = Delays { dispatch_ms: 0, deliver_ms: 0 };
}

/// The warehouse's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The inventory service, asked where goods lie. From BOUTIQUE_INVENTORY_URL, `http://host:port`; required.
    pub inventory_url: String,
    /// The furniture service, asked where freight lies. From BOUTIQUE_FURNITURE_URL, `http://host:port`; required.
    pub furniture_url: String,
    /// How long one try of a call may take. From BOUTIQUE_PEER_TIMEOUT_MS. 1..=20,000 ms, 2,000 unless told.
    pub peer_timeout: Duration,
    /// How long packing and carrying take.
    pub delays: Delays,
}

impl Default for Config {
    /// Peers that are out of reach: for tests that do not call them.
    fn default() -> Self {
        let nowhere = || "http://127.0.0.1:9".to_owned();
        Self {
            inventory_url: nowhere(),
            furniture_url: nowhere(),
            peer_timeout: Duration::from_secs(2),
            delays: Delays::default(),
        }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or out of range.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let delays = Delays {
            dispatch_ms: delay(environment, "BOUTIQUE_DISPATCH_DELAY_MS", Delays::default().dispatch_ms)?,
            deliver_ms: delay(environment, "BOUTIQUE_DELIVER_DELAY_MS", Delays::default().deliver_ms)?,
        };
        let peer_timeout_ms: u64 = environment.or("BOUTIQUE_PEER_TIMEOUT_MS", 2_000)?;
        if !(1..=MAX_PEER_TIMEOUT_MS).contains(&peer_timeout_ms) {
            return Err(out_of_range("BOUTIQUE_PEER_TIMEOUT_MS", &format!("1 to {MAX_PEER_TIMEOUT_MS}")));
        }
        Ok(Self {
            inventory_url: environment.required("BOUTIQUE_INVENTORY_URL")?,
            furniture_url: environment.required("BOUTIQUE_FURNITURE_URL")?,
            peer_timeout: Duration::from_millis(peer_timeout_ms),
            delays,
        })
    }
}

fn delay(environment: &Environment, name: &str, default: i64) -> Result<i64, ConfigError> {
    let delay_ms = environment.or(name, default)?;
    if (0..=MAX_DELAY_MS).contains(&delay_ms) {
        Ok(delay_ms)
    } else {
        Err(out_of_range(name, &format!("0 to {MAX_DELAY_MS}")))
    }
}

fn out_of_range(name: &str, range: &str) -> ConfigError {
    ConfigError { name: name.to_owned(), problem: format!("must be {range}") }
}
