//! The arithmetic of repeated measurements.

use serde::Serialize;

/// One quantity over the rounds: these machines are noisy, so the median speaks and the extremes are shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// The middle value; the mean of the two middle ones for an even count; 0 for none.
    pub median: f64,
    /// The lowest value; 0 for none.
    pub lowest: f64,
    /// The highest value; 0 for none.
    pub highest: f64,
    /// Every value, in the order it was measured.
    pub rounds: Vec<f64>,
}

impl Spread {
    /// Sums up the rounds.
    #[must_use]
    pub fn of(rounds: Vec<f64>) -> Self {
        let lowest = rounds.iter().copied().reduce(f64::min).unwrap_or_default();
        let highest = rounds.iter().copied().reduce(f64::max).unwrap_or_default();
        Self { median: median(&rounds), lowest, highest, rounds }
    }
}

/// The middle value.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// `part` over `whole`; 0 when there is no whole, as after a round in which every request failed.
#[must_use]
pub fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// A count as a number to calculate with. Counts here are far below 2^52.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
pub fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert!(same(median(&[9.0, 1.0, 5.0]), 5.0));
        assert!(same(median(&[4.0, 1.0, 2.0, 100.0]), 3.0));
        assert!(same(median(&[7.0]), 7.0));
        assert!(same(median(&[]), 0.0));
    }

    #[test]
    fn a_spread_keeps_the_extremes_and_the_order_of_rounds() {
        let spread = Spread::of(vec![3.0, 1.0, 2.0]);
        assert!(same(spread.lowest, 1.0) && same(spread.median, 2.0) && same(spread.highest, 3.0));
        assert!(same(spread.rounds[0], 3.0));
    }

    #[test]
    fn a_ratio_to_nothing_is_nothing() {
        assert!(same(ratio(3.0, 4.0), 0.75));
        assert!(same(ratio(3.0, 0.0), 0.0));
    }
}
