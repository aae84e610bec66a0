//! Settings, read once from the environment.

use std::time::Duration;

use runtime::config::{ConfigError, Environment};

/// Longest time an edge may be given, in milliseconds.
const MAX_TIMEOUT_MS: u64 = 60_000;
/// Longest time an order may be given, in milliseconds.
const MAX_ORDER_TIMEOUT_MS: u64 = 300_000;
/// Tries of one call, at most.
const MAX_TRIES: u32 = 10;
/// Calls to one edge under way, at most: with more, connections and memory are what runs out first.
const MAX_CALLS: u32 = 4_096;
/// Longest window and longest open time of a breaker, in milliseconds: ten minutes.
const MAX_BREAKER_MS: u64 = 600_000;
/// Calls that may be wanted before a breaker opens.
const MAX_MINIMUM_CALLS: u32 = 100_000;
/// Longest hold, in minutes: a day.
const MAX_HOLD_MINUTES: u32 = 24 * 60;

/// Where the edges are and how long they may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Base URL of the CRM. From `BOUTIQUE_CRM_URL`; `http://127.0.0.1:8088`.
    pub crm_url: String,
    /// Base URL of the fraud engine. From `BOUTIQUE_FRAUD_ENGINE_URL`; `http://127.0.0.1:8091`.
    pub fraud_engine_url: String,
    /// Base URL of the inventory service. From `BOUTIQUE_INVENTORY_URL`; `http://127.0.0.1:8086`.
    pub inventory_url: String,
    /// Base URL of the furniture service. From `BOUTIQUE_FURNITURE_URL`; `http://127.0.0.1:8089`.
    pub furniture_url: String,
    /// Base URL of the food service. From `BOUTIQUE_FOOD_URL`; `http://127.0.0.1:8090`.
    pub food_url: String,
    /// Time one call to a required edge has, tries included, in milliseconds. From `BOUTIQUE_EDGE_TIMEOUT_MS`; 2000. 1..=60,000.
    pub edge_timeout_ms: u64,
    /// Time one of these tries has, in milliseconds. From `BOUTIQUE_EDGE_TRY_TIMEOUT_MS`; 60 % of the edge's time. 1..=60,000.
    pub edge_try_timeout_ms: u64,
    /// Time the fraud engine has, tries included, in milliseconds. From `BOUTIQUE_FRAUD_TIMEOUT_MS`; 300. 1..=60,000.
    pub fraud_timeout_ms: u64,
    /// Time an order has for everything it asks, in milliseconds. From `BOUTIQUE_ORDER_TIMEOUT_MS`; twice the longer of the edges' times
    /// and a second. 1..=300,000.
    pub order_timeout_ms: u64,
    /// Tries of one call to an edge. From `BOUTIQUE_EDGE_TRIES`; 3. 1..=10.
    pub edge_tries: u32,
    /// Repeated tries for a hundred calls to an edge. From `BOUTIQUE_EDGE_RETRY_PERCENT`; 10. 0..=100.
    pub edge_retry_percent: u32,
    /// Calls under way to each required edge. From `BOUTIQUE_EDGE_CALLS`; 256. 1..=4,096.
    pub edge_calls: u32,
    /// Calls under way to the fraud engine. From `BOUTIQUE_FRAUD_CALLS`; 256. 1..=4,096.
    pub fraud_calls: u32,
    /// Calls that wait for one of those places, for a quarter of the edge's time at most. From `BOUTIQUE_EDGE_WAITING`; 128. 0..=4,096.
    pub edge_waiting: u32,
    /// Calls of how long a breaker looks at, in milliseconds. From `BOUTIQUE_BREAKER_WINDOW_MS`; 10,000. 10..=600,000.
    pub breaker_window_ms: u64,
    /// Calls in that time below which a breaker stays closed. From `BOUTIQUE_BREAKER_MINIMUM_CALLS`; 20. 1..=100,000.
    pub breaker_minimum_calls: u32,
    /// Failed calls of a hundred that open a breaker. From `BOUTIQUE_BREAKER_FAILURE_PERCENT`; 50. 1..=100.
    pub breaker_failure_percent: u32,
    /// How long a breaker stays open before its first probe, in milliseconds. From `BOUTIQUE_BREAKER_OPEN_MS`; 1000. 1..=600,000.
    pub breaker_open_ms: u64,
    /// How long stock is held for an order, in minutes. From `BOUTIQUE_HOLD_MINUTES`; 15. 1..=1,440.
    pub hold_minutes: u32,
}

impl Default for Config {
    fn default() -> Self {
        let local = |port: u16| format!("http://127.0.0.1:{port}");
        Self {
            crm_url: local(8088),
            fraud_engine_url: local(8091),
            inventory_url: local(8086),
            furniture_url: local(8089),
            food_url: local(8090),
            edge_timeout_ms: 2_000,
            edge_try_timeout_ms: try_timeout_ms(2_000),
            fraud_timeout_ms: 300,
            order_timeout_ms: order_timeout_ms(2_000, 300),
            edge_tries: 3,
            edge_retry_percent: 10,
            edge_calls: 256,
            fraud_calls: 256,
            edge_waiting: 128,
            breaker_window_ms: 10_000,
            breaker_minimum_calls: 20,
            breaker_failure_percent: 50,
            breaker_open_ms: 1_000,
            hold_minutes: 15,
        }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first variable that is out of its range.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let default = Self::default();
        let ms = |name, default: u64, most| environment.within(name, default, 1..=most);
        let count = |name, default: u32, least, most| environment.within(name, default, least..=most);
        let edge_timeout_ms = ms("BOUTIQUE_EDGE_TIMEOUT_MS", default.edge_timeout_ms, MAX_TIMEOUT_MS)?;
        let fraud_timeout_ms = ms("BOUTIQUE_FRAUD_TIMEOUT_MS", default.fraud_timeout_ms, MAX_TIMEOUT_MS)?;
        let order_timeout_ms = order_timeout_ms(edge_timeout_ms, fraud_timeout_ms);
        Ok(Self {
            crm_url: environment.urls("BOUTIQUE_CRM_URL", default.crm_url)?,
            fraud_engine_url: environment.urls("BOUTIQUE_FRAUD_ENGINE_URL", default.fraud_engine_url)?,
            inventory_url: environment.urls("BOUTIQUE_INVENTORY_URL", default.inventory_url)?,
            furniture_url: environment.urls("BOUTIQUE_FURNITURE_URL", default.furniture_url)?,
            food_url: environment.urls("BOUTIQUE_FOOD_URL", default.food_url)?,
            edge_timeout_ms,
            edge_try_timeout_ms: ms("BOUTIQUE_EDGE_TRY_TIMEOUT_MS", try_timeout_ms(edge_timeout_ms), MAX_TIMEOUT_MS)?,
            fraud_timeout_ms,
            order_timeout_ms: ms("BOUTIQUE_ORDER_TIMEOUT_MS", order_timeout_ms, MAX_ORDER_TIMEOUT_MS)?,
            edge_tries: count("BOUTIQUE_EDGE_TRIES", default.edge_tries, 1, MAX_TRIES)?,
            edge_retry_percent: count("BOUTIQUE_EDGE_RETRY_PERCENT", default.edge_retry_percent, 0, 100)?,
            edge_calls: count("BOUTIQUE_EDGE_CALLS", default.edge_calls, 1, MAX_CALLS)?,
            fraud_calls: count("BOUTIQUE_FRAUD_CALLS", default.fraud_calls, 1, MAX_CALLS)?,
            edge_waiting: count("BOUTIQUE_EDGE_WAITING", default.edge_waiting, 0, MAX_CALLS)?,
            breaker_window_ms: environment.within(
                "BOUTIQUE_BREAKER_WINDOW_MS",
                default.breaker_window_ms,
                10..=MAX_BREAKER_MS,
            )?,
            breaker_minimum_calls: count(
                "BOUTIQUE_BREAKER_MINIMUM_CALLS",
                default.breaker_minimum_calls,
                1,
                MAX_MINIMUM_CALLS,
            )?,
            breaker_failure_percent: count(
                "BOUTIQUE_BREAKER_FAILURE_PERCENT",
                default.breaker_failure_percent,
                1,
                100,
            )?,
            breaker_open_ms: ms("BOUTIQUE_BREAKER_OPEN_MS", default.breaker_open_ms, MAX_BREAKER_MS)?,
            hold_minutes: count("BOUTIQUE_HOLD_MINUTES", default.hold_minutes, 1, MAX_HOLD_MINUTES)?,
        })
    }

    pub(crate) fn order_timeout(&self) -> Duration {
        Duration::from_millis(self.order_timeout_ms)
    }
}

/// Short enough that a try that hangs leaves time for another one.
fn try_timeout_ms(edge_timeout_ms: u64) -> u64 {
    (edge_timeout_ms * 3 / 5).max(1)
}

/// The edges are asked in two rounds: who and what, then risk and holds. The second besides is for waits of our own.
fn order_timeout_ms(edge_timeout_ms: u64, fraud_timeout_ms: u64) -> u64 {
    edge_timeout_ms.max(fraud_timeout_ms) * 2 + 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str, value: &str) -> Environment {
        Environment::of([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn settings_out_of_range_are_named() {
        assert_eq!(Config::from_environment(&Environment::default()), Ok(Config::default()));
        let bad = [
            ("BOUTIQUE_CRM_URL", "ftp://x"),
            ("BOUTIQUE_HOLD_MINUTES", "0"),
            ("BOUTIQUE_EDGE_TIMEOUT_MS", "60001"),
            ("BOUTIQUE_FRAUD_TIMEOUT_MS", "soon"),
            ("BOUTIQUE_ORDER_TIMEOUT_MS", "0"),
            ("BOUTIQUE_EDGE_TRIES", "0"),
            ("BOUTIQUE_EDGE_RETRY_PERCENT", "101"),
            ("BOUTIQUE_EDGE_CALLS", "0"),
            ("BOUTIQUE_FRAUD_CALLS", "4097"),
            ("BOUTIQUE_EDGE_WAITING", "-1"),
            ("BOUTIQUE_BREAKER_WINDOW_MS", "9"),
            ("BOUTIQUE_BREAKER_MINIMUM_CALLS", "0"),
            ("BOUTIQUE_BREAKER_FAILURE_PERCENT", "0"),
            ("BOUTIQUE_BREAKER_OPEN_MS", "600001"),
        ];
        for (name, value) in bad {
            let error = Config::from_environment(&environment(name, value)).unwrap_err();
            assert_eq!(error.name, name);
        }
    }
    #[test]
    fn times_that_are_not_set_follow_from_those_that_are() {
        let config = Config::from_environment(&environment("BOUTIQUE_EDGE_TIMEOUT_MS", "5000")).unwrap();
        assert_eq!((config.edge_try_timeout_ms, config.order_timeout_ms), (3_000, 11_000));
    }
}
