//! What OMS is told from outside, read once.

use std::time::Duration;

use runtime::config::{ConfigError, Environment};

use crate::deadlines::Deadlines;

/// Longest time one try of a call to the warehouse may be given, in milliseconds.
const MAX_PEER_TIMEOUT_MS: u64 = 20_000;

/// Seconds of a day.
const SECONDS_PER_DAY: u64 = 24 * 60 * 60;
/// How long goods may be sent back unless told, in days.
const DEFAULT_WINDOW_DAYS: u64 = 30;
/// The longest goods may be sent back, in days: ten years.
const MAX_WINDOW_DAYS: u64 = 3_650;

/// OMS's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The warehouse, asked to stop an order that is cancelled late. From BOUTIQUE_WAREHOUSE_URL, `http://host:port` or `https://host`; required.
    pub warehouse_url: String,
    /// How long one try of a call to the warehouse may take. From BOUTIQUE_PEER_TIMEOUT_MS. 1..=20,000 ms, 2,000 unless told.
    pub peer_timeout: Duration,
    /// How long orders may wait. From the variables named there.
    pub deadlines: Deadlines,
    /// How long after its delivery a unit may be sent back. From BOUTIQUE_RETURN_WINDOW_DAYS. 0..=3,650 days, 30 unless told.
    pub return_window: Duration,
    /// How much of its price is given back for a returned unit that the customer damaged, in percent, for returns asked for from now on.
    /// From BOUTIQUE_DAMAGED_REFUND_PERCENT. 0..=100, 0 unless told.
    pub damaged_refund_percent: u32,
}

impl Default for Config {
    /// A warehouse that is out of reach: for tests that do not call it.
    fn default() -> Self {
        Self {
            warehouse_url: "http://127.0.0.1:9".to_owned(),
            peer_timeout: Duration::from_secs(2),
            deadlines: Deadlines::default(),
            return_window: Duration::from_secs(DEFAULT_WINDOW_DAYS * SECONDS_PER_DAY),
            damaged_refund_percent: 0,
        }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or out of range.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let window_days =
            environment.within("BOUTIQUE_RETURN_WINDOW_DAYS", DEFAULT_WINDOW_DAYS, 0..=MAX_WINDOW_DAYS)?;
        Ok(Self {
            warehouse_url: environment.required_urls("BOUTIQUE_WAREHOUSE_URL")?,
            peer_timeout: environment.milliseconds("BOUTIQUE_PEER_TIMEOUT_MS", 2_000, MAX_PEER_TIMEOUT_MS)?,
            deadlines: Deadlines::from_environment(environment)?,
            return_window: Duration::from_secs(window_days * SECONDS_PER_DAY),
            damaged_refund_percent: environment.within("BOUTIQUE_DAMAGED_REFUND_PERCENT", 0, 0..=100)?,
        })
    }
}
