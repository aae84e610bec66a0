//! Requests under one idempotency key take turns: they share an order's id and its holds, and one that fails gives those back.
//!
//! Promises: within this process one of them is at work at a time, and who waits longer than its deadline is refused. Nothing is kept of a
//! key once nobody asks under it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use runtime::{Deadline, Problem};
use tokio::sync::OwnedMutexGuard;

/// Keys with requests at work, at most: eight times the requests a server takes at once, for an order goes on when its client hangs up.
const MOST_KEYS: usize = 8_192;

/// Whose turn it is, for every key with requests at work. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<BTreeMap<String, Queue>>>);

/// The requests under one key.
#[derive(Default)]
struct Queue {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Requests at work or waiting.
    requests: usize,
}

/// The turn of one request under its key: until it is dropped no other has one.
#[must_use = "the turn is over when this is dropped"]
pub(crate) struct Turn {
    // In this order: the next one is woken before the key may be forgotten.
    _own: OwnedMutexGuard<()>,
    _place: Place,
}

/// A request in the queue of its key; leaves it when dropped.
struct Place {
    turns: Turns,
    key: String,
}

impl Turns {
    /// Waits for the turn under a key (its hash), until `deadline` at most; those who came first go first.
    ///
    /// # Errors
    /// 503 when another request under the key is still at work then, or too many keys are.
    pub(crate) async fn take(&self, key: &str, deadline: Deadline) -> Result<Turn, Problem> {
        let (place, turn) = self.join(key).ok_or_else(too_many)?;
        match tokio::time::timeout(deadline.left(), turn.lock_owned()).await {
            Ok(own) => Ok(Turn { _own: own, _place: place }),
            Err(_) => Err(still_at_work()),
        }
    }

    fn join(&self, key: &str) -> Option<(Place, Arc<tokio::sync::Mutex<()>>)> {
        let mut queues = self.queues();
        if queues.len() >= MOST_KEYS && !queues.contains_key(key) {
            return None;
        }
        let queue = queues.entry(key.to_owned()).or_default();
        queue.requests += 1;
        Some((Place { turns: self.clone(), key: key.to_owned() }, Arc::clone(&queue.turn)))
    }

    /// A panic cannot leave a count half-changed.
    fn queues(&self) -> MutexGuard<'_, BTreeMap<String, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queues = self.turns.queues();
        if let Some(queue) = queues.get_mut(&self.key) {
            queue.requests -= 1;
            if queue.requests == 0 {
                queues.remove(&self.key);
            }
        }
    }
}

fn still_at_work() -> Problem {
    let detail = "another request under this Idempotency-Key is still at work, ask again for its answer";
    Problem::unavailable("order_under_way", detail)
}

fn too_many() -> Problem {
    Problem::unavailable("overloaded", "too many orders are under way, try again")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_millis(20))
    }

    fn late() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    #[tokio::test]
    async fn a_key_has_one_turn_at_a_time_and_another_key_its_own() {
        let turns = Turns::default();
        let first = turns.take("a", soon()).await.unwrap();
        assert_eq!(turns.take("a", soon()).await.err().unwrap().code, "order_under_way");
        let other = turns.take("b", soon()).await.unwrap();
        let waiting = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take("a", late()).await.is_ok() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        assert!(waiting.await.unwrap());
        drop(other);
    }

    #[tokio::test]
    async fn a_key_is_forgotten_with_the_last_who_asked_under_it_and_not_before() {
        let turns = Turns::default();
        let first = turns.take("a", soon()).await.unwrap();
        assert!(turns.take("a", soon()).await.is_err(), "gave up");
        assert_eq!(turns.queues().len(), 1, "the first is at work");
        {
            let waiting = turns.take("a", late());
            tokio::pin!(waiting);
            assert!(futures::poll!(&mut waiting).is_pending());
            assert_eq!(turns.queues()["a"].requests, 2);
        }
        drop(first);
        assert!(turns.queues().is_empty());
    }

    #[tokio::test]
    async fn more_keys_than_can_be_kept_are_refused_until_one_is_forgotten() {
        let turns = Turns::default();
        let mut taken = Vec::with_capacity(MOST_KEYS);
        for number in 0..MOST_KEYS {
            taken.push(turns.take(&number.to_string(), soon()).await.unwrap());
        }
        assert_eq!(turns.take("one more", soon()).await.err().unwrap().code, "overloaded");
        drop(taken.pop());
        assert!(turns.take("one more", soon()).await.is_ok());
    }
}
