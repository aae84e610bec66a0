//! The bounded queue between callers and the threads that own connections.
//!
//! What was accepted is handed out even after the queue closed; what comes after is refused. Waking a thread is a
//! system call, so it is made only when one sleeps.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::StoreError;

/// Jobs waiting for a thread. Many callers put in, one or more threads take out.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    limit: usize,
}

struct State<T> {
    waiting: VecDeque<T>,
    sleepers: usize,
    closed: bool,
}

impl<T> Queue<T> {
    /// A queue that holds at most `limit` entries.
    pub(crate) fn new(limit: usize) -> Queue<T> {
        let state = State { waiting: VecDeque::new(), sleepers: 0, closed: false };
        Queue { state: Mutex::new(state), filled: Condvar::new(), limit: limit.max(1) }
    }

    /// Puts `entry` at the end.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when the queue is full, [`StoreError::Unavailable`] when it was closed.
    pub(crate) fn push(&self, entry: T) -> Result<(), StoreError> {
        let mut state = self.lock();
        if state.closed {
            return Err(StoreError::closed());
        }
        if state.waiting.len() >= self.limit {
            return Err(StoreError::Busy { reason: format!("{} jobs are waiting", self.limit) });
        }
        state.waiting.push_back(entry);
        let wake = state.sleepers > 0;
        drop(state);
        if wake {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits for an entry and moves up to `most` of them to the end of `taken`. False once the queue is closed and
    /// empty.
    pub(crate) fn wait_take(&self, taken: &mut VecDeque<T>, most: usize) -> bool {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return false;
            }
            state.sleepers += 1;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.sleepers -= 1;
        }
        Self::move_some(&mut state, taken, most);
        true
    }

    /// Entries nobody has taken yet.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Moves up to `most` entries to the end of `taken` without waiting.
    pub(crate) fn try_take(&self, taken: &mut VecDeque<T>, most: usize) {
        Self::move_some(&mut self.lock(), taken, most);
    }

    /// Refuses what comes from now on and lets the threads finish what is there.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    fn move_some(state: &mut State<T>, taken: &mut VecDeque<T>, most: usize) {
        let count = state.waiting.len().min(most.max(1));
        taken.extend(state.waiting.drain(..count));
    }

    /// Nothing panics while the lock is held, so a poisoned lock holds sound data.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_out_in_order_and_no_more_than_asked_for() {
        let queue = Queue::new(8);
        (0..5).for_each(|entry| queue.push(entry).unwrap());
        let mut taken = VecDeque::new();
        assert!(queue.wait_take(&mut taken, 2));
        assert_eq!(taken, [0, 1]);
        queue.try_take(&mut taken, 2);
        assert_eq!(taken, [0, 1, 2, 3]);
    }

    #[test]
    fn a_closed_queue_hands_out_what_it_accepted() {
        let queue = Queue::new(8);
        queue.push(1).unwrap();
        queue.close();
        assert_eq!(queue.push(2), Err(StoreError::closed()));
        let mut taken = VecDeque::new();
        assert!(queue.wait_take(&mut taken, 8));
        assert!(!queue.wait_take(&mut taken, 8));
        assert_eq!(taken, [1]);
    }

    #[test]
    fn every_entry_reaches_exactly_one_of_several_threads() {
        let queue = Queue::new(10_000);
        let mut all = std::thread::scope(|scope| {
            let takers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let (mut mine, mut taken) = (Vec::new(), VecDeque::new());
                        while queue.wait_take(&mut taken, 3) {
                            mine.extend(taken.drain(..));
                        }
                        mine
                    })
                })
                .collect();
            (0..10_000).for_each(|entry| queue.push(entry).unwrap());
            queue.close();
            takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect::<Vec<_>>()
        });
        all.sort_unstable();
        assert_eq!(all, (0..10_000).collect::<Vec<_>>());
    }
}
