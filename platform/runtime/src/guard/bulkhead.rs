//! How many calls to one edge are under way: one that hangs must not take every connection, task and byte with it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// How many calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkheadSettings {
    /// Calls under way, at most.
    pub calls: u32,
    /// Calls that wait for one of these to end, at most.
    pub waiting: u32,
    /// How long they wait.
    pub patience: Duration,
}

/// The bulkhead of one edge.
pub(crate) struct Bulkhead {
    settings: BulkheadSettings,
    room: Semaphore,
    waiting: AtomicU32,
}

impl Bulkhead {
    pub(crate) fn new(settings: BulkheadSettings) -> Self {
        let room = Semaphore::new(usize::try_from(settings.calls).unwrap_or(Semaphore::MAX_PERMITS));
        Self { settings, room, waiting: AtomicU32::new(0) }
    }

    /// A place, at once or after a short wait of at most `patience`; `None` when there is none.
    pub(crate) async fn enter(&self, patience: Duration) -> Option<SemaphorePermit<'_>> {
        if let Ok(place) = self.room.try_acquire() {
            return Some(place);
        }
        let waiting = Waiting::join(self)?;
        let place = tokio::time::timeout(patience.min(self.settings.patience), self.room.acquire()).await;
        drop(waiting);
        place.ok()?.ok()
    }

    /// Calls under way.
    pub(crate) fn in_use(&self) -> u32 {
        let free = u32::try_from(self.room.available_permits()).unwrap_or(u32::MAX);
        self.settings.calls.saturating_sub(free)
    }

    /// Calls that wait.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// One who waits; leaves when dropped.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    fn join(bulkhead: &'a Bulkhead) -> Option<Self> {
        let before = bulkhead.waiting.fetch_add(1, Ordering::Relaxed);
        let this = Self(&bulkhead.waiting);
        (before < bulkhead.settings.waiting).then_some(this)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulkhead(calls: u32, waiting: u32) -> Bulkhead {
        Bulkhead::new(BulkheadSettings { calls, waiting, patience: Duration::from_secs(10) })
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_place_waits_and_who_finds_no_room_to_wait_is_refused() {
        let bulkhead = bulkhead(1, 1);
        let patience = Duration::from_secs(60);
        let first = bulkhead.enter(patience).await.unwrap();
        let (second, third) = tokio::join!(
            async {
                let place = bulkhead.enter(patience).await;
                (place.is_some(), bulkhead.in_use())
            },
            async {
                assert_eq!((bulkhead.in_use(), bulkhead.waiting()), (1, 1));
                let refused = bulkhead.enter(patience).await.is_none();
                drop(first);
                refused
            }
        );
        assert_eq!((second, third), ((true, 1), true));
        assert_eq!((bulkhead.in_use(), bulkhead.waiting()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_their_own_patience_or_the_bulkhead_s() {
        let bulkhead = bulkhead(1, 5);
        let _first = bulkhead.enter(Duration::ZERO).await.unwrap();
        // The test's own clock, which is paused.
        #[allow(clippy::disallowed_methods)]
        let start = tokio::time::Instant::now();
        assert!(bulkhead.enter(Duration::from_secs(3)).await.is_none());
        assert!(bulkhead.enter(Duration::from_secs(60)).await.is_none());
        assert_eq!(start.elapsed().as_secs(), 13);
        assert_eq!(bulkhead.waiting(), 0);
    }
}
