//! The rows of the table: what was measured, round by round, beside the other side and the target.

use std::collections::BTreeMap;

use serde::Serialize;

use super::quantity::{Quantity, Target, Verdict};
use super::table::short;
use super::turn::Outcome;
use crate::bench::numbers::{Spread, ratio};

/// What one side came to in all rounds.
#[derive(Debug, Default)]
pub struct Book {
    values: BTreeMap<Quantity, Vec<f64>>,
    /// Messages whose arrival was waited for.
    pub awaited: u64,
    /// Those that did not arrive.
    pub lost: u64,
    /// Arrivals beyond the first of a message.
    pub again: u64,
}

impl Book {
    /// Adds one turn.
    pub fn add(&mut self, outcome: &Outcome) {
        for (quantity, value) in &outcome.values {
            self.values.entry(*quantity).or_default().push(*value);
        }
        self.awaited += outcome.awaited;
        self.lost += outcome.lost;
        self.again += outcome.again;
    }
}

/// One row.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub figure: String,
    /// Of its values.
    pub unit: &'static str,
    /// This broker.
    pub ours: Spread,
    /// The other side.
    pub theirs: Option<Spread>,
    /// Ours over theirs, round by round.
    pub ratio: Option<Spread>,
    /// In words.
    pub target: Option<String>,
    /// `None`: no target, or not judged.
    pub verdict: Option<Verdict>,
}

/// The rows of what was measured of ours. `messages` were held for the memory; without `judged` there are no verdicts.
#[must_use]
pub fn rows(ours: &Book, theirs: &Book, messages: u64, judged: bool) -> Vec<Row> {
    let messages = super::table::grouped(messages);
    let row = |quantity: Quantity| {
        let our_rounds = ours.values.get(&quantity)?;
        let their_rounds = theirs.values.get(&quantity);
        let ratio =
            their_rounds.map(|theirs| Spread::of(our_rounds.iter().zip(theirs).map(|(o, t)| ratio(*o, *t)).collect()));
        let our_spread = Spread::of(our_rounds.clone());
        // A ratio is no target where there is nothing beside.
        let target = quantity.target().filter(|target| ratio.is_some() || !matches!(target, Target::Ratio(_)));
        Some(Row {
            figure: quantity.name(&messages),
            unit: quantity.unit(),
            theirs: their_rounds.cloned().map(Spread::of),
            target: target.map(|target| text(target, quantity.unit())),
            verdict: target.filter(|_| judged).and_then(|target| target.judge(&our_spread, ratio.as_ref())),
            ours: our_spread,
            ratio,
        })
    };
    Quantity::ALL.into_iter().filter_map(row).collect()
}

fn text(target: Target, unit: &str) -> String {
    match target {
        Target::Ratio(least) => format!("≥ {least:.2}x"),
        Target::AtLeast(least) => format!("≥ {} {unit}", short(least)),
        Target::Below(most) => format!("< {} {unit}", short(most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(values: &[(Quantity, f64)]) -> Book {
        let mut book = Book::default();
        for value in values {
            book.add(&Outcome { values: vec![*value], awaited: 10, lost: 1, again: 2, starved: false });
        }
        book
    }

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        let ours = book(&[(Quantity::Push, 30.0), (Quantity::Push, 100.0), (Quantity::Push, 90.0)]);
        let theirs = book(&[(Quantity::Push, 10.0), (Quantity::Push, 50.0), (Quantity::Push, 10.0)]);
        let rows = rows(&ours, &theirs, 1, true);
        assert_eq!(rows[0].ratio, Some(Spread::of(vec![3.0, 2.0, 9.0])));
        assert_eq!((rows[0].ours.median.to_bits(), rows[0].verdict), (90f64.to_bits(), Some(Verdict::Held)));
        assert_eq!((ours.awaited, ours.lost, ours.again), (30, 3, 6));
    }

    #[test]
    fn without_another_side_only_limits_are_judged() {
        let ours = book(&[(Quantity::Push, 30.0), (Quantity::Start, 250.0), (Quantity::PushCpu, 9.0)]);
        let rows = rows(&ours, &Book::default(), 1, true);
        let verdicts: Vec<_> = rows.iter().map(|row| (row.unit, row.target.as_deref(), row.verdict)).collect();
        assert_eq!(
            verdicts,
            [("ms", Some("< 200 ms"), Some(Verdict::Missed)), ("messages/s", None, None), ("µs", None, None)]
        );
        assert!(rows.iter().all(|row| row.theirs.is_none() && row.ratio.is_none()));
    }

    #[test]
    fn a_short_run_is_not_judged() {
        let ours = book(&[(Quantity::Start, 50.0)]);
        assert_eq!(rows(&ours, &Book::default(), 1, false)[0].verdict, None);
    }

    #[test]
    fn the_memory_row_names_its_messages() {
        let ours = book(&[(Quantity::HeldMemory, 50.0)]);
        assert_eq!(rows(&ours, &Book::default(), 200_000, true)[0].figure, "memory, 200,000 messages unacked");
    }
}
