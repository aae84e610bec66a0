//! What bounds the simulation, besides [`delivery::service`].

pub(super) use delivery::service::*;

/// Characters of a resource's id.
pub(super) const NAME_CHARACTERS: std::ops::RangeInclusive<usize> = 3..=255;
/// Pushes of one subscription in flight, at most. The service has 3,000 times as many; a simulation has one thread.
pub(super) const PUSH_WINDOW: usize = 64;
/// Messages one pull answers with.
pub(super) const PULL_MESSAGES: usize = 1_000;
/// Messages of one ordering key in one pull answer, as the broker gives them.
pub(super) const PULL_MESSAGES_PER_KEY: usize = 100;
/// Milliseconds between two looks for messages past their retention.
pub(super) const PURGE_MS: u64 = 60_000;
/// Names on one page of a list, at most and when nothing is said.
pub(super) const PAGE: usize = 1_000;
