//! Says the latest minute, unless it was said.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use events::platform::MinuteElapsed;
use events::{Event, Timestamp};
use runtime::{Cause, Code, Failure, Transactor};
use schemars::JsonSchema;
use serde::Serialize;
use store::{StoreError, Tx, params};
use tracing::warn;

use crate::minute::{Length, Minute};

/// One statement decides, so that of two instances on one database one says the minute.
const ADVANCE: &str = "INSERT INTO last_minute (id, minute_ms) VALUES (1, ?1)
    ON CONFLICT (id) DO UPDATE SET minute_ms = excluded.minute_ms WHERE last_minute.minute_ms < excluded.minute_ms";

const LAST: &str = "SELECT minute_ms FROM last_minute WHERE id = 1";
/// How far the clock may be behind the last minute said without a word about it, in milliseconds: two minutes.
const MOST_BEHIND_MS: i64 = 2 * 60 * 1_000;

/// What a tick found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tick {
    /// The latest minute that ended, at its last millisecond.
    pub minute: Timestamp,
    /// Whether this tick said it.
    pub said: bool,
    /// By how much the clock is behind the latest minute that was said, in milliseconds: nothing is said until it has caught up. Absent when
    /// it is not, or by less than two minutes, as clocks of two instances may differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_behind_ms: Option<i64>,
}

/// Says minutes. Clones are the same.
#[derive(Clone)]
pub struct Ticker {
    transactor: Transactor,
    length: Length,
    /// Whether it was said that the clock is behind.
    warned: Arc<AtomicBool>,
}

impl Ticker {
    /// A ticker on the scheduler's database.
    #[must_use]
    pub fn new(transactor: Transactor, length: Length) -> Self {
        Self { transactor, length, warned: Arc::default() }
    }

    /// Says the latest minute that has ended at `now_ms` (Unix milliseconds), if it is later than every minute said.
    ///
    /// # Errors
    /// [`Failure::Transient`] when the database is busy: tick again.
    pub async fn tick(&self, now_ms: i64) -> Result<Tick, Failure> {
        let minute = Minute::ended(now_ms, self.length);
        let last = minute
            .last()
            .ok_or_else(|| Failure::permanent(Code::InvalidFact, "the clock shows no time of any calendar"))?;
        // The fact bears the minute's end as its time, so that it is the same to the last byte whoever says it.
        let tick = self.transactor.run_at(minute.end_ms(), Cause::Moment { id: minute.event_id() }, move |tx| {
            let said = advance(tx, minute)?;
            let clock_behind_ms = if said { None } else { behind_ms(tx, minute)? };
            let facts: Vec<Event> = if said { vec![MinuteElapsed { minute: last }.into()] } else { Vec::new() };
            Ok::<_, Failure>((Tick { minute: last, said, clock_behind_ms }, facts))
        });
        let tick = tick.await?;
        let behind = tick.clock_behind_ms.is_some();
        // Once, and again when it happens again: a tick comes every second.
        if behind && !self.warned.swap(true, Ordering::Relaxed) {
            let behind_ms = tick.clock_behind_ms;
            warn!(behind_ms, "the clock was set back: no minute is said until it has caught up with the last");
        }
        if !behind {
            self.warned.store(false, Ordering::Relaxed);
        }
        Ok(tick)
    }
}

fn advance(tx: &mut Tx<'_>, minute: Minute) -> Result<bool, StoreError> {
    Ok(tx.execute(ADVANCE, params![minute.last_ms()])? == 1)
}

fn behind_ms(tx: &mut Tx<'_>, minute: Minute) -> Result<Option<i64>, StoreError> {
    let last_ms = tx.query_opt(LAST, &[], |row| row.get_i64(0))?;
    Ok(last_ms.map(|last_ms| last_ms - minute.last_ms()).filter(|behind_ms| *behind_ms > MOST_BEHIND_MS))
}
