//! The clock: one event at a time, or all that fall due in a while.

use delivery::Nacked;

use super::SimulatedPubSub;
use super::agenda::Due;
use super::push::Push;

/// What one step did.
#[derive(Debug)]
pub enum Step {
    /// Nothing is left to happen by itself.
    Idle,
    /// A lease expired, a wait ended, a push failed.
    Passed,
    /// A push reached its endpoint, which is to [`answer`](SimulatedPubSub::answer) or not.
    Push(Push),
}

impl SimulatedPubSub {
    /// The time in milliseconds since the epoch.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// When something happens next by itself. May be early, never late.
    pub fn next_event_ms(&self) -> Option<u64> {
        let leases = self.subscriptions.values().filter_map(|s| s.backlog.next_due());
        leases.chain(self.agenda.next_ms()).min().map(|at_ms| at_ms.max(self.now_ms))
    }

    /// Moves the clock to the next event and lets it happen.
    pub fn step(&mut self) -> Step {
        let Some(at_ms) = self.next_event_ms() else { return Step::Idle };
        self.now_ms = at_ms;
        match self.agenda.pop(at_ms) {
            Some(Due::Arrival(push)) => return self.arrive(push).map_or(Step::Passed, Step::Push),
            Some(Due::Deadline(push)) => self.settle(push, false),
            Some(Due::Resume(name)) => self.fill_window(&name),
            None => {
                let due = self.subscriptions.iter().find(|(_, s)| s.backlog.next_due().is_some_and(|ms| ms <= at_ms));
                if let Some(name) = due.map(|(name, _)| name.clone()) {
                    self.pass(&name);
                }
            }
        }
        Step::Passed
    }

    /// Lets `ms` milliseconds pass. `endpoint` gets every push and answers with a status, or not at all.
    pub fn advance(&mut self, ms: u64, mut endpoint: impl FnMut(&Push) -> Option<u16>) {
        let until_ms = self.now_ms + ms;
        while self.next_event_ms().is_some_and(|at_ms| at_ms <= until_ms) {
            if let Step::Push(push) = self.step()
                && let Some(status) = endpoint(&push)
            {
                self.answer(push.id, status);
            }
        }
        self.now_ms = until_ms;
    }

    /// Moves the clock without letting anything happen that is due later.
    ///
    /// # Panics
    /// When something is due before `now_ms`, or `now_ms` is in the past.
    pub fn move_clock(&mut self, now_ms: u64) {
        assert!(now_ms >= self.now_ms, "time does not run backwards");
        assert!(self.next_event_ms().is_none_or(|at_ms| at_ms >= now_ms), "something is due before");
        self.now_ms = now_ms;
    }

    /// Lets a subscription see the time: leases expire, waits end, dead letters go, the window is filled.
    pub(super) fn pass(&mut self, name: &str) {
        let now_ms = self.now_ms;
        let Some(subscription) = self.subscriptions.get_mut(name) else { return };
        subscription.purge(now_ms);
        for nacked in subscription.backlog.pass(now_ms) {
            if let Nacked::Exhausted(missed) = nacked {
                self.forward(name, &missed);
            }
        }
        self.fill_window(name);
    }
}
