//! Bugs of the kinds that choreographies have, planted on purpose: a simulation that does not find them proves nothing.
//!
//! The services' code is as it is shipped; a planted bug sits beside it, at a transaction's end or before a consumer's door, and does there
//! what the mistake would have done.

mod assumes_order;
mod claims_outside;
mod forgets_a_line;
mod publishes_early;
mod refunds_twice;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use store::StoreError;

use crate::hooks::Hooks;
use crate::run::{Options, Outcome};
use crate::stage::Stage;

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// The inbox is claimed in a transaction of its own: the claim of an event that then failed stays.
    ClaimsOutside,
    /// The outbox is published before the commit: of a transaction that rolled back, too.
    PublishesEarly,
    /// Releasing a cancelled order's hold leaves one of its lines reserved.
    ForgetsALine,
    /// OMS takes it that an order's confirmation comes first, and ignores what it hears of orders it does not know.
    AssumesOrder,
    /// Accounting gives money back again when a cancellation is delivered again.
    RefundsTwice,
}

impl Bug {
    fn hooks(self) -> Arc<dyn Hooks> {
        match self {
            Bug::ClaimsOutside => Arc::new(claims_outside::ClaimsOutside::default()),
            Bug::PublishesEarly => Arc::new(publishes_early::PublishesEarly::default()),
            Bug::ForgetsALine => Arc::new(forgets_a_line::ForgetsALine::default()),
            Bug::AssumesOrder => Arc::new(assumes_order::AssumesOrder::default()),
            Bug::RefundsTwice => Arc::new(refunds_twice::RefundsTwice::default()),
        }
    }

    /// The first run of a range that finds this bug.
    ///
    /// # Errors
    /// When a stage cannot be made.
    pub fn first_found(self, seeds: Range<u64>) -> Result<Option<Outcome>, StoreError> {
        let stage = Stage::new()?;
        let mut runs = seeds.map(|seed| stage.run_with(seed, &Options { keeps_trace: false, hooks: self.hooks() }));
        Ok(runs.find(|outcome| !outcome.violations.is_empty()))
    }
}
