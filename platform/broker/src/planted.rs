//! A mistake on request, so that the proof by power cuts can be seen to fail. Debug builds only: no other can make it.

use std::sync::atomic::{AtomicBool, Ordering};

static UNSYNCED: AtomicBool = AtomicBool::new(false);

/// From now on publishes are answered before they are on disk.
pub fn answer_without_waiting_for_the_disk() {
    UNSYNCED.store(true, Ordering::Relaxed);
}

pub(crate) fn is_planted() -> bool {
    UNSYNCED.load(Ordering::Relaxed)
}
