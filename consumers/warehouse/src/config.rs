//! What the warehouse is told from outside, read once.

use std::str::FromStr;
use std::time::Duration;

use runtime::config::{ConfigError, Environment};

/// Longest time one try of a call to another service may be given, in milliseconds.
const MAX_PEER_TIMEOUT_MS: u64 = 20_000;
/// Seconds of a day.
const SECONDS_PER_DAY: u64 = 24 * 60 * 60;
/// How long a return is waited for unless told, in days.
const DEFAULT_PATIENCE_DAYS: u64 = 30;
/// The longest a return is waited for, in days.
const MAX_PATIENCE_DAYS: u64 = 365;
/// The longest delay: 30 days in milliseconds.
const MAX_DELAY_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// Who says that a shipment arrived, or did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// Our own people: after [`Delays::deliver_ms`] it is there, unless a report says otherwise before.
    Own,
    /// A logistics partner, by `POST /shipments/{shipmentId}/tracking` alone.
    Partner,
}

impl FromStr for Carrier {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "own" => Ok(Carrier::Own),
            "partner" => Ok(Carrier::Partner),
            _ => Err("expected own or partner"),
        }
    }
}

/// How long packing and carrying take here. With 0 the step is done in the transaction of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// From creation to dispatch. From BOUTIQUE_DISPATCH_DELAY_MS. 0..=2,592,000,000 ms, 1,000 unless told.
    pub dispatch_ms: i64,
    /// From dispatch to delivery. From BOUTIQUE_DELIVER_DELAY_MS. 0..=2,592,000,000 ms, 1,000 unless told.
    pub deliver_ms: i64,
    /// Who says that it was delivered. From BOUTIQUE_CARRIER, `own` or `partner`; `own` unless told.
    pub carrier: Carrier,
}

impl Default for Delays {
    fn default() -> Self {
        Self { dispatch_ms: 1_000, deliver_ms: 1_000, carrier: Carrier::Own }
    }
}

impl Delays {
    /// Every step at once.
    pub const NONE: Delays = Delays { dispatch_ms: 0, deliver_ms: 0, carrier: Carrier::Own };
}

/// The warehouse's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The inventory service, asked where goods lie. From BOUTIQUE_INVENTORY_URL, `http://host:port` or `https://host`; required.
    pub inventory_url: String,
    /// The furniture service, asked where freight lies. From BOUTIQUE_FURNITURE_URL, `http://host:port` or `https://host`; required.
    pub furniture_url: String,
    /// How long one try of a call may take. From BOUTIQUE_PEER_TIMEOUT_MS. 1..=20,000 ms, 2,000 unless told.
    pub peer_timeout: Duration,
    /// How long packing and carrying take.
    pub delays: Delays,
    /// How long goods are waited for that somebody wants to return. From BOUTIQUE_RETURN_LAPSES_AFTER_DAYS. 1..=365 days, 30 unless told.
    pub return_patience: Duration,
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
            return_patience: Duration::from_secs(DEFAULT_PATIENCE_DAYS * SECONDS_PER_DAY),
        }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or out of range.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let delay = |name: &str, default: i64| environment.within(name, default, 0..=MAX_DELAY_MS);
        let delays = Delays {
            dispatch_ms: delay("BOUTIQUE_DISPATCH_DELAY_MS", Delays::default().dispatch_ms)?,
            deliver_ms: delay("BOUTIQUE_DELIVER_DELAY_MS", Delays::default().deliver_ms)?,
            carrier: environment.or("BOUTIQUE_CARRIER", Carrier::Own)?,
        };
        let patience = "BOUTIQUE_RETURN_LAPSES_AFTER_DAYS";
        let patience_days = environment.within(patience, DEFAULT_PATIENCE_DAYS, 1..=MAX_PATIENCE_DAYS)?;
        Ok(Self {
            inventory_url: environment.required_urls("BOUTIQUE_INVENTORY_URL")?,
            furniture_url: environment.required_urls("BOUTIQUE_FURNITURE_URL")?,
            peer_timeout: environment.milliseconds("BOUTIQUE_PEER_TIMEOUT_MS", 2_000, MAX_PEER_TIMEOUT_MS)?,
            delays,
            return_patience: Duration::from_secs(patience_days * SECONDS_PER_DAY),
        })
    }
}
