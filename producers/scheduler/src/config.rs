//! What can be set from outside.

use runtime::config::{ConfigError, Environment};

use crate::minute::Length;

/// The scheduler's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// How long a minute is, in real milliseconds. From BOUTIQUE_MINUTE_MS. 50..=60,000 ms, 60,000 unless told.
    pub minute: Length,
    /// Whether it ticks by itself. From BOUTIQUE_SELF_TICK, `true` or `false`; `true` unless told.
    pub self_tick: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { minute: Length::WALL_CLOCK, self_tick: true }
    }
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let (default, name) = (Self::default(), "BOUTIQUE_MINUTE_MS");
        let range = Length::SHORTEST_MS..=Length::WALL_CLOCK.ms();
        let minute = Length::of_ms(environment.within(name, default.minute.ms(), range)?).unwrap_or(default.minute);
        Ok(Self { minute, self_tick: environment.or("BOUTIQUE_SELF_TICK", default.self_tick)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<Config, ConfigError> {
        Config::from_environment(&Environment::of([(name.to_owned(), value.to_owned())]))
    }

    #[test]
    fn a_minute_is_between_its_bounds() {
        assert_eq!(Config::from_environment(&Environment::default()), Ok(Config::default()));
        assert_eq!(read("BOUTIQUE_MINUTE_MS", "50").map(|config| config.minute.ms()), Ok(50));
        for wrong in ["49", "60001", "-1", "fast"] {
            let refused = read("BOUTIQUE_MINUTE_MS", wrong).map_err(|error| error.name);
            assert_eq!(refused, Err("BOUTIQUE_MINUTE_MS".to_owned()), "{wrong}");
        }
        assert_eq!(read("BOUTIQUE_SELF_TICK", "false").map(|config| config.self_tick), Ok(false));
    }
}
