//! Time that passes by hand.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use runtime::clock;
use runtime::simulation::{self, Inside};

/// A clock on a test's thread.
pub(crate) struct Hands {
    start: (i64, Instant),
    passed_ms: Cell<u32>,
    drawn: Cell<u128>,
}

impl Hands {
    /// From now on time stands still, until it is let pass, for as long as the guard lives.
    pub fn hold() -> (Rc<Self>, Inside) {
        #[expect(clippy::disallowed_methods, reason = "time is held from some moment on")]
        let start = (clock::now_ms(), Instant::now());
        let hands = Rc::new(Self { start, passed_ms: Cell::new(0), drawn: Cell::new(0) });
        let inside = simulation::enter(Rc::clone(&hands) as _);
        (hands, inside)
    }

    pub fn pass(&self, ms: u32) {
        self.passed_ms.set(self.passed_ms.get() + ms);
    }
}

impl simulation::World for Hands {
    fn now_ms(&self) -> i64 {
        self.start.0 + i64::from(self.passed_ms.get())
    }

    fn instant(&self) -> Instant {
        self.start.1 + Duration::from_millis(self.passed_ms.get().into())
    }

    fn random(&self) -> u128 {
        self.drawn.replace(self.drawn.get() + 1)
    }
}
