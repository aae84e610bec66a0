//! One run's world: its time, its weather, its Pub/Sub, its houses, and the record of what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Arguments;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use testkit::pubsub::SimulatedPubSub;
use tokio::sync::Notify;

use crate::chance::Chance;
use crate::hooks::Hooks;
use crate::house::House;
use crate::life::{Life, Place};
use crate::tally::Tally;
use crate::time::Clock;
use crate::trace::Trace;
use crate::weather::Weather;

/// A run's world.
pub struct World {
    pub(crate) clock: Clock,
    pub(crate) pubsub: Mutex<SimulatedPubSub>,
    /// Something is due at Pub/Sub sooner than was thought.
    pub(crate) pubsub_changed: Notify,
    pub(crate) houses: BTreeMap<&'static str, House>,
    pub(crate) hooks: Arc<dyn Hooks>,
    weather: Mutex<Weather>,
    chance: Mutex<Chance>,
    trace: Mutex<Trace>,
    tally: Mutex<Tally>,
    /// Settings that this run has drawn, for every process started from now on.
    pub(crate) settings: Mutex<BTreeMap<&'static str, &'static str>>,
    /// Until when the link of two is cut.
    cuts: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    /// Ids of events that somebody tried to publish: Pub/Sub may have them.
    published: Mutex<BTreeSet<String>>,
}

impl World {
    pub(crate) fn new(seed: u64, houses: Vec<House>, hooks: Arc<dyn Hooks>, keeps_trace: bool) -> Self {
        let clock = Clock::start();
        Self {
            clock,
            pubsub: Mutex::new(SimulatedPubSub::new(seed, clock.now_ms())),
            pubsub_changed: Notify::new(),
            houses: houses.into_iter().map(|house| (house.part.name, house)).collect(),
            hooks,
            weather: Mutex::default(),
            chance: Mutex::new(Chance::new(seed, 1)),
            trace: Mutex::new(Trace::new(keeps_trace)),
            tally: Mutex::default(),
            settings: Mutex::default(),
            cuts: Mutex::default(),
            published: Mutex::default(),
        }
    }

    /// The weather from now on.
    pub(crate) fn set_weather(&self, weather: Weather) {
        locked(&self.pubsub).set_faults(weather.pubsub);
        locked(&self.cuts).clear();
        *locked(&self.weather) = weather;
    }

    /// Draws whether something happens, at the chance the weather gives it.
    pub(crate) fn happens(&self, chance: impl Fn(&Weather) -> u32) -> bool {
        let per_mille = chance(&locked(&self.weather));
        locked(&self.chance).happens(per_mille)
    }

    /// Draws a length up to what the weather gives, in milliseconds.
    pub(crate) fn length_ms(&self, most: impl Fn(&Weather) -> u64) -> u64 {
        let most = most(&locked(&self.weather));
        locked(&self.chance).between(0, most)
    }

    /// Draws a number of `from..=to`.
    pub(crate) fn between(&self, from: u64, to: u64) -> u64 {
        locked(&self.chance).between(from, to)
    }

    /// Whether the link is cut, now or from now on.
    pub(crate) fn is_cut(&self, from: &'static str, to: &'static str) -> bool {
        let now_ms = self.clock.since_start_ms();
        if locked(&self.cuts).get(&(from, to)).is_some_and(|until_ms| *until_ms > now_ms) {
            return true;
        }
        let breaks = self.happens(|weather| weather.cut);
        if breaks {
            let until_ms = now_ms + self.length_ms(|weather| weather.cut_ms);
            locked(&self.cuts).insert((from, to), until_ms);
            self.count(|tally| tally.cuts += 1);
            self.note(format_args!("cut {from} > {to} until {until_ms}"));
        }
        breaks
    }

    /// Draws whether a process dies at this step; if so it is dead when this returns.
    pub(crate) fn dies(self: &Arc<Self>, life: &Arc<Life>, place: Place) -> bool {
        let dies = !life.is_over() && self.happens(|weather| weather.crash);
        if dies {
            let down_ms = self.between(50, 5_000);
            self.kill(life, place, down_ms);
        }
        dies
    }

    /// Adds a line to the trace.
    pub(crate) fn note(&self, what: Arguments<'_>) {
        locked(&self.trace).note(self.clock.since_start_ms(), what);
    }

    /// Counts something.
    pub(crate) fn count(&self, what: impl FnOnce(&mut Tally)) {
        what(&mut locked(&self.tally));
    }

    /// Remembers that somebody tried to publish an event.
    pub(crate) fn published(&self, event_id: &str) {
        locked(&self.published).insert(event_id.to_owned());
    }

    /// Events that somebody tried to publish.
    pub(crate) fn all_published(&self) -> BTreeSet<String> {
        locked(&self.published).clone()
    }

    /// The counts so far.
    pub(crate) fn tally(&self) -> Tally {
        locked(&self.tally).clone()
    }

    /// The trace's hash, its length, and its lines if they were kept.
    pub(crate) fn take_trace(&self) -> (u64, u64, Vec<String>) {
        let mut trace = locked(&self.trace);
        (trace.hash(), trace.steps(), trace.take_lines())
    }
}

/// Locks what only one thread uses.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
