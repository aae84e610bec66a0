//! One thing that goes wrong, and how long.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;

use crate::engine::Wire;
use crate::shop::Shop;

/// How long a killed part stays down, and how long other faults last, in milliseconds. A lock is waited for by SQLite for 5,000.
const DOWN_MS: Range<u64> = 0..3_000;
const PAUSED_MS: Range<u64> = 500..8_000;
const ENGINE_MS: Range<u64> = 1_000..10_000;
const FULL_MS: Range<u64> = 1_000..5_000;
const LOCKED_MS: Range<u64> = 500..9_000;
/// How long who locks a database waits for the lock.
const PATIENCE_OF_THIEF: Duration = Duration::from_millis(500);
/// Out of so many faults, which are what: kills below the first number, pauses below the second, and so on.
const OF: u32 = 12;
const KILLS: u32 = 6;
const PAUSES: u32 = 8;
const ENGINES: u32 = 10;
const DISKS: u32 = 11;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// SIGKILL, and a start some time later.
    Kill,
    /// SIGSTOP, and SIGCONT some time later: connections stay open, nothing is answered.
    Pause,
    /// The way to the fraud engine.
    Engine(Wire),
    /// No room on the disk of the service.
    Full,
    /// Another process keeps the database locked.
    Lock,
}

/// A fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// Whom it hits.
    pub(crate) part: &'static str,
    long: Duration,
}

impl Fault {
    /// Draws a fault for one of `parts`. `small_disk` is whose disk can be filled.
    pub(crate) fn draw(dice: &mut Rng, parts: &[&'static str], small_disk: Option<&'static str>) -> Fault {
        let part = parts[dice.usize(..parts.len())];
        let (kind, part, long) = match dice.u32(..OF) {
            n if n < KILLS => (Kind::Kill, part, DOWN_MS),
            n if n < PAUSES => (Kind::Pause, part, PAUSED_MS),
            n if n < ENGINES => {
                let wire = [Wire::Cut, Wire::Dead, Wire::Failing][dice.usize(..3)];
                (Kind::Engine(wire), "fraud-engine", ENGINE_MS)
            }
            n if n < DISKS && small_disk.is_some() => (Kind::Full, small_disk.unwrap_or(part), FULL_MS),
            _ if Shop::keeps_books(part) => (Kind::Lock, part, LOCKED_MS),
            _ => (Kind::Kill, part, DOWN_MS),
        };
        Fault { kind, part, long: Duration::from_millis(dice.u64(long)) }
    }

    /// Lets it happen, and be over.
    pub(crate) async fn happen(self, shop: &Shop) {
        match self.kind {
            Kind::Kill => {
                shop.kill_9(self.part);
                tokio::time::sleep(self.long).await;
                shop.start(self.part);
            }
            Kind::Pause => {
                shop.pause(self.part);
                tokio::time::sleep(self.long).await;
                shop.resume(self.part);
            }
            Kind::Engine(wire) => {
                shop.engine().set(wire);
                tokio::time::sleep(self.long).await;
                shop.engine().set(Wire::Whole);
            }
            Kind::Full => {
                let (_, disk) = shop.small_disk().expect("drawn only where there is one");
                let ballast = disk.fill();
                tokio::time::sleep(self.long).await;
                drop(ballast);
            }
            Kind::Lock => {
                // A service that was just started may be making its tables: then there is nothing to lock yet.
                let Ok(thief) = rusqlite::Connection::open(shop.database(self.part)) else { return };
                let patient = thief.busy_timeout(PATIENCE_OF_THIEF);
                if patient.and_then(|()| thief.execute_batch("BEGIN IMMEDIATE")).is_ok() {
                    tokio::time::sleep(self.long).await;
                }
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { kind, part, long } = self;
        let seconds = long.as_secs_f64();
        match kind {
            Kind::Kill => write!(f, "{part} is killed, back after {seconds:.1} s"),
            Kind::Pause => write!(f, "{part} hangs for {seconds:.1} s"),
            Kind::Engine(wire) => write!(f, "the wire to {part} is {wire:?} for {seconds:.1} s"),
            Kind::Full => write!(f, "the disk of {part} is full for {seconds:.1} s"),
            Kind::Lock => write!(f, "the database of {part} is locked for {seconds:.1} s"),
        }
    }
}
