//! Facts of the platform itself: time.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Fact;
use crate::id::OrderId;
use crate::topology::Topic;

/// A minute of the wall clock ended. Said by a scheduler; deadlines are decided from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MinuteElapsed {
    /// The minute that ended, at its last instant.
    pub minute: Timestamp,
}

/// How far the scheduler's clock may be ahead of the clock of who hears the minute, in milliseconds: one minute.
pub const MAX_AHEAD_MS: i64 = 60_000;

impl MinuteElapsed {
    /// Up to when deadlines have passed by this minute, in milliseconds since the Unix epoch, for somebody whose own clock shows `now_ms`: a
    /// scheduler that is wrong about the time must not end what has time left.
    #[must_use]
    pub fn until_ms(&self, now_ms: i64) -> i64 {
        self.minute.as_millisecond().min(now_ms.saturating_add(MAX_AHEAD_MS))
    }
}

impl Fact for MinuteElapsed {
    const TYPE: &'static str = "com.onlineboutique.platform.minute_elapsed.v1";
    const TOPIC: Topic = Topic::Clock;

    fn order_id(&self) -> Option<&OrderId> {
        None
    }

    crate::fact::json!();
}
