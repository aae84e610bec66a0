//! What somebody usually spends: mean and spread of the logarithms of amounts, kept as sums so that one more order is one addition.
//!
//! Logarithms, because amounts differ by factors: twice the usual is as odd for a small spender as for a large one, and one very dear
//! order does not move the mean far. In whole thousandths, because tables hold integers and sums of integers do not drift.

/// The least spread, in thousandths of the logarithm: with it three deviations are a factor of about three, however alike orders were.
const LEAST_SPREAD_MILLI: f64 = 350.0;

/// Sums over amounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spending {
    /// How many amounts.
    pub amounts: u32,
    /// Sum of their natural logarithms, in thousandths.
    pub ln_sum: i64,
    /// Sum of the squares of those.
    pub ln_squares: i64,
}

impl Spending {
    /// The same with one amount more.
    #[must_use]
    pub fn with(self, amount_minor: i64) -> Self {
        let ln = ln_milli(amount_minor);
        Self { amounts: self.amounts + 1, ln_sum: self.ln_sum + ln, ln_squares: self.ln_squares + ln * ln }
    }

    /// How many deviations an amount lies above the usual; below it the number is negative. `None` with fewer than `least` amounts.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "sums of at most a few million logarithms below 30,000")]
    pub fn deviations(self, amount_minor: i64, least: u32) -> Option<f64> {
        if self.amounts < least.max(1) {
            return None;
        }
        let count = f64::from(self.amounts);
        let mean = self.ln_sum as f64 / count;
        let variance = (self.ln_squares as f64 / count - mean * mean).max(0.0);
        Some((ln_milli(amount_minor) as f64 - mean) / variance.sqrt().max(LEAST_SPREAD_MILLI))
    }
}

/// The natural logarithm of an amount in hundredths, in thousandths. Less than one cent counts as one.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "amounts are bounded below 2^53")]
pub fn ln_milli(amount_minor: i64) -> i64 {
    ((amount_minor.max(1) as f64).ln() * 1_000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(amounts: &[i64]) -> Spending {
        amounts.iter().fold(Spending::default(), |spending, amount| spending.with(*amount))
    }

    #[test]
    fn orders_all_alike_allow_for_a_factor_of_three() {
        let spending = of(&[5_000; 5]);
        let deviations = |amount| spending.deviations(amount, 5).unwrap();
        assert!(deviations(14_000) < 3.0 && deviations(15_000) > 3.0, "{}", deviations(15_000));
        assert!(deviations(5_000).abs() < 0.01 && deviations(1_000) < -3.0);
    }

    #[test]
    fn who_spends_now_little_now_much_is_allowed_more() {
        let spending = of(&[1_000, 40_000, 3_000, 20_000, 900]);
        assert!(spending.deviations(150_000, 5).unwrap() < 3.0);
    }

    #[test]
    fn too_few_orders_are_no_habit() {
        assert_eq!(of(&[100; 4]).deviations(1_000_000, 5), None);
        assert_eq!(Spending::default().deviations(1, 0), None);
    }
}
