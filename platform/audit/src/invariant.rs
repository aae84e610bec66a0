//! One invariant and what was found.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// One invariant and what was found.
#[derive(Debug, Clone, Serialize)]
pub struct Invariant {
    /// Its number in ARCHITECTURE.md.
    pub number: u32,
    /// What must hold.
    pub claim: &'static str,
    /// How many things were looked at.
    pub checked: usize,
    /// What breaks it: a sentence each, by a key that stays the same while amounts in the sentence run on. Serialized as the sentences.
    #[serde(serialize_with = "sentences")]
    pub violations: BTreeMap<String, String>,
}

fn sentences<S: Serializer>(violations: &BTreeMap<String, String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(violations.values())
}

impl Invariant {
    pub(crate) fn new(number: u32, claim: &'static str) -> Self {
        Self { number, claim, checked: 0, violations: BTreeMap::new() }
    }

    /// Looks at one thing. The sentence is its own key: the same violation is told in the same words.
    pub(crate) fn check(&mut self, holds: bool, violation: impl FnOnce() -> String) {
        self.checked += 1;
        if !holds {
            let text = violation();
            self.violations.insert(text.clone(), text);
        }
    }

    /// Looks at one thing whose violation is told with amounts: `key` says which thing it is, without them.
    pub(crate) fn check_of(&mut self, key: &str, holds: bool, violation: impl FnOnce() -> String) {
        self.checked += 1;
        if !holds {
            self.violations.insert(key.to_owned(), violation());
        }
    }

    /// Leaves only violations that `earlier`, a look at the same invariant, had found as well.
    pub fn keep_known(&mut self, earlier: &Invariant) {
        self.violations.retain(|key, _| earlier.violations.contains_key(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(reserved: u32, wanted: u32, is_sent: bool) -> Invariant {
        let mut invariant = Invariant::new(3, "units reserved are those of open orders");
        invariant.check_of("CAMERA reserved", reserved == wanted, || {
            format!("CAMERA: {reserved} reserved, {wanted} wanted")
        });
        invariant.check(is_sent, || "an event was never sent".to_owned());
        invariant
    }

    #[test]
    fn a_violation_is_known_again_by_its_key_while_its_amounts_run_on() {
        let earlier = looked(10, 9, false);
        let mut now = looked(27, 26, true);
        now.keep_known(&earlier);
        assert_eq!(now.violations["CAMERA reserved"], "CAMERA: 27 reserved, 26 wanted");
        let mut later = looked(30, 30, false);
        later.keep_known(&now);
        assert!(later.violations.is_empty(), "one holds by now, the other had held in between");
    }

    #[test]
    fn violations_are_told_as_sentences() {
        let told = serde_json::to_value(looked(2, 1, true)).unwrap();
        assert_eq!(told["violations"], serde_json::json!(["CAMERA: 2 reserved, 1 wanted"]));
    }
}
