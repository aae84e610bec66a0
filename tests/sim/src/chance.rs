//! Everything that is drawn comes out of the seed, through here.

use testkit::pubsub::Random;

/// Spreads seeds that follow each other.
const SPREAD: u64 = 0xD1B5_4A32_D192_ED03;

/// One stream of draws. Streams of one seed do not disturb each other: another order does not change the weather.
#[derive(Debug, Clone)]
pub(crate) struct Chance(Random);

impl Chance {
    /// Stream `stream` of a seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Random::from_seed(seed.wrapping_mul(SPREAD) ^ stream.wrapping_mul(SPREAD).rotate_left(32));
        random.number();
        Self(random)
    }

    /// True in so many of a thousand cases. A chance of none draws nothing.
    pub(crate) fn happens(&mut self, per_mille: u32) -> bool {
        self.0.chance(per_mille)
    }

    /// A number of `from..=to`.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.0.up_to(to - from + 1) - 1
    }

    /// `from..=to` in so many of a thousand cases, else 0.
    pub(crate) fn sometimes(&mut self, per_mille: u32, from: u32, to: u32) -> u32 {
        let amount = self.between(u64::from(from), u64::from(to));
        if self.happens(per_mille) { u32::try_from(amount).unwrap_or(to) } else { 0 }
    }

    /// One of them.
    ///
    /// # Panics
    /// When there are none.
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let last = of.len().checked_sub(1).expect("something to pick from");
        &of[usize::try_from(self.between(0, last as u64)).unwrap_or(last)]
    }

    /// 128 bits for an id.
    pub(crate) fn bits(&mut self) -> u128 {
        u128::from(self.0.number()) << 64 | u128::from(self.0.number())
    }
}
