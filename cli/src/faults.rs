//! What `boutique broker --fault` asks for.

use std::time::Duration;

use broker::Faults;

/// One thing to go wrong.
#[derive(Clone, Copy)]
pub enum Fault {
    /// Share of acked messages that come once more.
    Duplicate(f64),
    /// Share of acks that are answered and forgotten.
    DropAcks(f64),
    /// How long a message is held back.
    Delay(Duration),
    /// Where the draw starts.
    Seed(u64),
}

/// Reads `NAME=VALUE`.
pub fn parse(text: &str) -> Result<Fault, String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let share = || value.parse::<f64>().ok().filter(|s| (0.0..=1.0).contains(s)).ok_or("a share is from 0 to 1");
    let whole = || value.parse::<u64>().map_err(|_| "expected a whole number");
    match name {
        "duplicate" => Ok(Fault::Duplicate(share()?)),
        "drop-acks" => Ok(Fault::DropAcks(share()?)),
        "delay" => Ok(Fault::Delay(Duration::from_millis(whole()?.min(600_000)))),
        "seed" => Ok(Fault::Seed(whole()?)),
        _ => Err("there is duplicate, drop-acks, delay and seed".to_owned()),
    }
}

/// All that was asked for.
pub fn settings(asked: &[Fault]) -> Faults {
    let mut faults = Faults::default();
    for fault in asked {
        match *fault {
            Fault::Duplicate(share) => faults.duplicate = share,
            Fault::DropAcks(share) => faults.drop_acks = share,
            Fault::Delay(delay) => faults.delay = delay,
            Fault::Seed(seed) => faults.seed = seed,
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_and_nonsense_is_refused() {
        let asked: Vec<Fault> = ["duplicate=0.1", "drop-acks=1", "delay=50", "seed=7"]
            .iter()
            .map(|text| parse(text).expect(text))
            .collect();
        let Faults { duplicate, delay, drop_acks, seed } = settings(&asked);
        assert_eq!((delay, seed), (Duration::from_millis(50), 7));
        assert!(duplicate > 0.09 && duplicate < 0.11 && drop_acks > 0.99);
        for bad in ["", "duplicate", "duplicate=2", "duplicate=-1", "delay=x", "colour=1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
