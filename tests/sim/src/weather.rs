//! How bad the weather of a run is: which faults there are, and how often.

use testkit::pubsub::Faults;

use crate::chance::Chance;

/// A kind of fault is in a run in so many of a thousand runs: a run with fewer kinds lets each do more.
const KIND: u32 = 650;

/// Chances in thousandths per occasion, lengths in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    /// On the way to Pub/Sub and from it: answers lost, deliveries doubled, late, overtaken, links cut.
    pub(crate) pubsub: Faults,
    /// A process dies at one of its steps.
    pub(crate) crash: u32,
    /// A database refuses a job.
    pub(crate) busy: u32,
    /// A commit fails, and nothing of it is kept.
    pub(crate) commit_fails: u32,
    /// A database takes its time, up to so long.
    pub(crate) store_ms: u64,
    /// A request between services is lost on its way.
    pub(crate) request_lost: u32,
    /// Its answer is.
    pub(crate) answer_lost: u32,
    /// Either of them is slow.
    pub(crate) slow: u32,
    /// Up to so slow: beyond every timeout.
    pub(crate) slow_ms: u64,
    /// The link of two services is cut.
    pub(crate) cut: u32,
    /// For up to so long.
    pub(crate) cut_ms: u64,
}

impl Weather {
    /// The weather of a run.
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        let pubsub = Faults {
            lost: chance.sometimes(KIND, 1, 80),
            twice: chance.sometimes(KIND, 1, 200),
            late: chance.sometimes(KIND, 1, 200),
            late_ms: chance.between(10, 20_000),
            overtaken: chance.sometimes(KIND, 1, 400),
            cut: chance.sometimes(KIND, 1, 8),
            cut_ms: chance.between(100, 8_000),
        };
        Self {
            pubsub,
            crash: chance.sometimes(KIND, 1, 10),
            busy: chance.sometimes(KIND, 1, 40),
            commit_fails: chance.sometimes(KIND, 1, 20),
            store_ms: chance.between(0, 5),
            request_lost: chance.sometimes(KIND, 1, 40),
            answer_lost: chance.sometimes(KIND, 1, 40),
            slow: chance.sometimes(KIND, 1, 60),
            slow_ms: chance.between(100, 6_000),
            cut: chance.sometimes(KIND, 1, 10),
            cut_ms: chance.between(100, 10_000),
        }
    }
}
