//! Numbers that look random and are the same for the same seed (SplitMix64).

/// A sequence of numbers.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Random {
        Random(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// True in so many of a thousand cases. A chance of none draws no number.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.number() % 1_000 < u64::from(per_mille)
    }

    /// A number from 1 to `most`; 0 when `most` is 0.
    pub fn up_to(&mut self, most: u64) -> u64 {
        if most == 0 { 0 } else { 1 + self.number() % most }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_sequence_and_a_chance_is_about_what_it_says() {
        let draw = |seed| {
            let mut random = Random::from_seed(seed);
            (0..1_000).filter(|_| random.chance(100)).count()
        };
        assert_eq!(draw(1), draw(1));
        assert!((70..130).contains(&draw(1)) && (70..130).contains(&draw(2)));
        assert!((0..100).all(|seed| (1..=3).contains(&Random::from_seed(seed).up_to(3))));
    }
}
