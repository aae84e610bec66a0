//! Hears the minute on behalf of a service that has no rule of its own about time.
//!
//! Listens to `platform.minute_elapsed.v1`. Says nothing: what a minute is good for in every service is the [`Upkeep`](crate::Upkeep) that
//! follows its delivery.

use events::platform::MinuteElapsed;
use events::{Envelope, Event};
use store::Tx;

use crate::failure::Failure;
use crate::reaction::Reaction;

/// Notes the minute in the inbox.
pub struct NoteMinute;

impl Reaction for NoteMinute {
    const NAME: &'static str = "note-minute";
    type Event = MinuteElapsed;

    fn handle(&self, _: &mut Tx<'_>, _: &Envelope<MinuteElapsed>) -> Result<Vec<Event>, Failure> {
        Ok(Vec::new())
    }
}
