//! A mistake on request, so that the proof by power cuts can be seen to fail. Debug builds only: no other can make it.

use std::sync::atomic::{AtomicBool, Ordering};

static NORMAL: AtomicBool = AtomicBool::new(false);

/// From now on SQLite files are opened with `synchronous = NORMAL`: a commit is answered before it is on disk.
pub fn commit_without_waiting_for_the_disk() {
    NORMAL.store(true, Ordering::Relaxed);
}

pub(crate) fn is_planted() -> bool {
    NORMAL.load(Ordering::Relaxed)
}
