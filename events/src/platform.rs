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

impl Fact for MinuteElapsed {
    const TYPE: &'static str = "com.onlineboutique.platform.minute_elapsed.v1";
    const TOPIC: Topic = Topic::Clock;

    fn order_id(&self) -> Option<&OrderId> {
        None
    }

    crate::fact::json!();
}
