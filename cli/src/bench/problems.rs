//! What went wrong while measuring: how often, and what it was first.

use serde::Serialize;

/// Requests that failed. A figure measured over failures means little, so they decide the exit code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Problems {
    /// How many.
    pub count: u64,
    /// The first one, for people.
    pub first: Option<String>,
}

impl Problems {
    /// Notes one.
    pub fn note(&mut self, what: impl Into<String>) {
        self.count += 1;
        self.first.get_or_insert_with(|| what.into());
    }

    /// Adds those of another part of the run.
    pub fn add(&mut self, other: Problems) {
        self.count += other.count;
        self.first = self.first.take().or(other.first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_problem_is_kept_and_all_are_counted() {
        let mut problems = Problems::default();
        problems.add(Problems::default());
        problems.note("one");
        problems.note("another");
        problems.add(Problems { count: 2, first: Some("two".to_owned()) });
        assert_eq!(problems, Problems { count: 4, first: Some("one".to_owned()) });
    }
}
