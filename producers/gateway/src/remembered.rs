//! A bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Mutex, PoisonError};

/// What was asked for lately, at most twice `most` entries: when the young half is full, the old one is forgotten. What is asked for
/// stays young.
pub(crate) struct Remembered<K, V> {
    most: usize,
    halves: Mutex<Halves<K, V>>,
}

struct Halves<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Eq + Hash + Clone, V: Clone> Remembered<K, V> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, halves: Mutex::new(Halves { young: HashMap::new(), old: HashMap::new() }) }
    }

    pub(crate) fn find(&self, key: &K) -> Option<V> {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = halves.young.get(key) {
            return Some(value.clone());
        }
        let value = halves.old.remove(key)?;
        halves.keep(key.clone(), value.clone(), self.most);
        Some(value)
    }

    pub(crate) fn keep(&self, key: K, value: V) {
        self.halves.lock().unwrap_or_else(PoisonError::into_inner).keep(key, value, self.most);
    }
}

impl<K: Eq + Hash, V> Halves<K, V> {
    fn keep(&mut self, key: K, value: V, most: usize) {
        if self.young.len() >= most {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_there_is_never_too_much() {
        let remembered = Remembered::new(10);
        for number in 0..1_000 {
            remembered.keep(number, number * 2);
            assert_eq!(remembered.find(&0), Some(0), "after {number}");
            let halves = remembered.halves.lock().unwrap();
            assert!(halves.young.len() <= 10 && halves.old.len() <= 10);
        }
        assert_eq!(remembered.find(&500), None);
        assert_eq!(remembered.find(&999), Some(1_998));
    }
}
