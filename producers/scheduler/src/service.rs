//! The scheduler from its parts.

use std::time::Duration;

use runtime::{Base, Foundation, Publishing, Service, StartError, Upkeep};
use tracing::warn;

use crate::config::Config;
use crate::door;
use crate::migrations::MIGRATIONS;
use crate::minute::Length;
use crate::tick::Ticker;

/// The service's name, and the source of every minute.
pub const NAME: &str = "scheduler";
/// The longest wait between two looks at the clock: a minute is said at most this late.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Looks at the clock in one minute, where minutes are short.
const LOOKS: u32 = 4;

/// The scheduler, assembled and not yet started.
///
/// # Errors
/// [`StartError`] when the database cannot be opened.
pub fn service(base: &Base, config: Config) -> Result<Service, StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::WithinRequest)?;
    let ticker = Ticker::new(foundation.transactor.clone(), config.minute);
    let upkeep = Upkeep::new(foundation.transactor.clone(), Vec::new());
    let service = Service::new(foundation, door::doors(ticker.clone(), upkeep.clone()));
    if !config.self_tick {
        return Ok(service);
    }
    Ok(service.every(between_looks(config.minute), move |now| {
        let (ticker, upkeep) = (ticker.clone(), upkeep.clone());
        async move {
            match ticker.tick(now.as_millisecond()).await {
                Ok(tick) if tick.said => upkeep.run(now).await,
                Ok(_) => {}
                Err(failure) => warn!(cause = %failure, "a minute could not be said, trying again"),
            }
        }
    }))
}

fn between_looks(minute: Length) -> Duration {
    let minute = Duration::from_millis(minute.ms().unsigned_abs());
    (minute / LOOKS).min(LONGEST_WAIT)
}
