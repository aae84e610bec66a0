//! What became of a cut, and of all of them.

use std::fmt;

/// One power cut.
#[derive(Debug)]
pub(crate) struct Cut {
    /// What it was drawn from.
    pub(crate) seed: u64,
    /// Orders answered 201 since the cut before.
    pub(crate) orders: usize,
    /// Orders that were asked for and not answered when the power went.
    pub(crate) unanswered: usize,
    /// Further cuts while the shop was starting.
    pub(crate) cuts_at_start: u32,
    /// From the return of the power to a shop that answers, in milliseconds: the journal, the broker's log, every database.
    pub(crate) recovered_ms: u64,
    /// What is not as it must be. Empty when the shop kept its word.
    pub(crate) problems: Vec<String>,
}

/// Problems printed of one cut.
const MOST_PRINTED: usize = 5;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cut { seed, orders, unanswered, cuts_at_start, recovered_ms, problems } = self;
        write!(f, "seed {seed}: {orders} orders answered, {unanswered} under way, recovered in {recovered_ms} ms")?;
        if *cuts_at_start > 0 {
            write!(f, " after {cuts_at_start} more cuts while starting")?;
        }
        for problem in problems.iter().take(MOST_PRINTED) {
            write!(f, "\n  WRONG: {problem}")?;
        }
        if problems.len() > MOST_PRINTED {
            write!(f, "\n  … and {} more", problems.len() - MOST_PRINTED)?;
        }
        Ok(())
    }
}

/// All cuts.
#[derive(Default)]
pub(crate) struct Totals {
    cuts: usize,
    cuts_at_start: u32,
    orders: usize,
    unanswered: usize,
    recovered_ms: Vec<u64>,
    /// Every problem with the seed of its cut.
    pub(crate) problems: Vec<String>,
}

impl Totals {
    pub(crate) fn add(&mut self, cut: Cut) {
        self.cuts += 1;
        self.cuts_at_start += cut.cuts_at_start;
        self.orders += cut.orders;
        self.unanswered += cut.unanswered;
        self.recovered_ms.push(cut.recovered_ms);
        self.problems.extend(cut.problems.iter().map(|problem| format!("seed {}: {problem}", cut.seed)));
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut times = self.recovered_ms.clone();
        times.sort_unstable();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        let longest = times.last().copied().unwrap_or_default();
        write!(
            f,
            "total: {} cuts and {} while starting, {} orders answered, {} under way, recovered in {middle} ms (median) and {longest} ms \
             (longest), {} problems",
            self.cuts,
            self.cuts_at_start,
            self.orders,
            self.unanswered,
            self.problems.len()
        )
    }
}
