//! Which minute it is. Pure.

use events::id::derived;
use events::{EventId, Timestamp};

/// How long a minute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length(i64);

impl Length {
    /// A minute of the wall clock.
    pub const WALL_CLOCK: Length = Length(60_000);
    /// The shortest, in milliseconds: below it a laptop does nothing but tick.
    pub const SHORTEST_MS: i64 = 50;

    /// A minute of `ms` milliseconds; `None` out of 50..=60,000.
    #[must_use]
    pub fn of_ms(ms: i64) -> Option<Self> {
        (Self::SHORTEST_MS..=Self::WALL_CLOCK.0).contains(&ms).then_some(Self(ms))
    }

    /// Its milliseconds.
    #[must_use]
    pub fn ms(self) -> i64 {
        self.0
    }
}

/// A minute that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Minute {
    /// The first millisecond after it, since the Unix epoch.
    end_ms: i64,
}

impl Minute {
    /// The latest that has ended at `now_ms`, milliseconds since the Unix epoch.
    pub(crate) fn ended(now_ms: i64, length: Length) -> Self {
        Self { end_ms: now_ms.div_euclid(length.0) * length.0 }
    }

    /// The first millisecond after it, since the Unix epoch: when the fact became true.
    pub(crate) fn end_ms(self) -> i64 {
        self.end_ms
    }

    /// Its last millisecond, since the Unix epoch: what the fact names.
    pub(crate) fn last_ms(self) -> i64 {
        self.end_ms - 1
    }

    /// As the fact names it; `None` for what is no time of any calendar.
    pub(crate) fn last(self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.last_ms()).ok()
    }

    /// The id of its event: the same whoever says it.
    pub(crate) fn event_id(self) -> EventId {
        EventId::from_uuid(derived("platform.minute_elapsed", &self.last_ms().to_string()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-01-01T00:00:00Z.
    const MIDNIGHT_MS: i64 = 1_767_225_600_000;

    #[test]
    fn the_minute_that_ended_is_named_by_its_last_millisecond() {
        let at = |ms: i64| Minute::ended(MIDNIGHT_MS + ms, Length::WALL_CLOCK).last().expect("a time").to_string();
        assert_eq!(at(0), "2025-12-31T23:59:59.999Z");
        assert_eq!(at(59_999), "2025-12-31T23:59:59.999Z");
        assert_eq!(at(60_000), "2026-01-01T00:00:59.999Z");
    }

    proptest! {
        #[test]
        fn a_minute_is_over_when_it_is_named_never_falls_and_has_one_id(
            now_ms in 0i64..4_102_444_800_000, later_ms in 0i64..200_000, length in 50i64..=60_000,
        ) {
            let length = Length::of_ms(length).expect("within bounds");
            let (minute, next) = (Minute::ended(now_ms, length), Minute::ended(now_ms + later_ms, length));
            prop_assert!(minute.last_ms() < now_ms.max(1) && now_ms - minute.last_ms() <= length.ms());
            prop_assert!(minute.last_ms() <= next.last_ms());
            prop_assert_eq!(minute == next, minute.event_id() == next.event_id());
        }
    }
}
