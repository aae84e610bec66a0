//! A run: the turns of all figures and sides, in their order.

use std::path::Path;
use std::time::Duration;

use super::client::{BATCHES, SINGLE};
use super::figures::{latency, memory, publish, pull, push};
use super::kind::Kind;
use super::quantity::Quantity;
use super::rows::Book;
use super::side::Side;
use super::turn::{Outcome, Settings};
use crate::bench::load::on_own_thread;
use crate::bench::problems::Problems;
use crate::bench::progress::Progress;

/// The first figure: a start.
pub const START: u8 = 1;
/// The last figure: memory.
pub const MEMORY: u8 = 8;
/// How long the slow push handler takes.
const SLOW: Duration = Duration::from_millis(50);

/// A run under way.
pub struct Run<'a> {
    /// How much to measure.
    pub settings: Settings,
    /// Ours, then the other side.
    pub kinds: Vec<Kind>,
    work: &'a Path,
    /// Of each side.
    pub books: [Book; 2],
    /// What a reader has to know of single turns.
    pub notes: Vec<String>,
    /// Messages that were lost.
    pub problems: Problems,
    progress: Progress,
}

impl<'a> Run<'a> {
    /// Before its first turn.
    #[must_use]
    pub fn new(settings: Settings, kinds: Vec<Kind>, figures: &[u8], work: &'a Path) -> Self {
        let turns = |figure: &u8| if *figure == MEMORY { 1 } else { u64::from(settings.rounds) };
        let stages = figures.iter().map(turns).sum::<u64>() * kinds.len() as u64;
        let (books, notes, problems) = (Default::default(), Vec::new(), Problems::default());
        Self { settings, kinds, work, books, notes, problems, progress: Progress::new(stages) }
    }

    /// After its last turn.
    ///
    /// # Errors
    /// When a side cannot be started or a call failed.
    pub async fn whole(mut self, figures: &[u8]) -> anyhow::Result<Self> {
        let in_rounds: Vec<u8> = figures.iter().copied().filter(|figure| *figure != MEMORY).collect();
        self.rounds(&in_rounds).await?;
        if figures.contains(&MEMORY) {
            self.memory().await?;
        }
        self.progress.done();
        Ok(self)
    }

    /// All figures but memory, with each side in one process for all of them; a start is one of another process.
    async fn rounds(&mut self, figures: &[u8]) -> anyhow::Result<()> {
        let mut sides = Vec::new();
        if figures.iter().any(|figure| *figure != START) {
            for kind in &self.kinds {
                sides.push(Side::start(kind, self.work).await?);
            }
        }
        for round in 1..=self.settings.rounds {
            for figure in figures {
                for at in 0..self.kinds.len() {
                    let name = self.kinds[at].name();
                    self.progress.stage(format!("round {round} of {}: figure {figure}, {name}", self.settings.rounds));
                    // No side runs where nothing but starts is measured.
                    let outcome = match sides.get(at) {
                        Some(side) if *figure != START => turn(*figure, side, self.settings).await?,
                        _ => self.start(at).await?,
                    };
                    self.note(at, *figure, &outcome);
                }
            }
        }
        for side in sides {
            side.stop().await;
        }
        Ok(())
    }

    async fn start(&self, at: usize) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::default();
        if self.kinds[at].is_started() {
            let side = Side::start(&self.kinds[at], self.work).await?;
            outcome.values.push((Quantity::Start, side.start_ms));
            side.stop().await;
        }
        Ok(outcome)
    }

    /// Memory of each side, in a process of its own.
    async fn memory(&mut self) -> anyhow::Result<()> {
        for at in 0..self.kinds.len() {
            self.progress.stage(format!("figure {MEMORY}, {}", self.kinds[at].name()));
            if self.kinds[at].is_started() {
                let side = Side::start(&self.kinds[at], self.work).await?;
                let outcome = turn(MEMORY, &side, self.settings).await?;
                side.stop().await;
                self.note(at, MEMORY, &outcome);
            }
        }
        Ok(())
    }

    fn note(&mut self, at: usize, figure: u8, outcome: &Outcome) {
        let name = self.kinds[at].name();
        if outcome.lost > 0 {
            let Outcome { lost, awaited, .. } = outcome;
            let reach = if lost == awaited { "; can it reach this machine as 127.0.0.1?" } else { "" };
            self.problems
                .note(format!("{lost} of {awaited} messages did not arrive from {name} (figure {figure}){reach}"));
        }
        if outcome.starved {
            self.notes.push(format!(
                "{name}, figure {figure}: the publisher took most of the time, so the push may be faster"
            ));
        }
        self.books[at].add(outcome);
    }
}

/// One turn of one figure, on a thread of its own.
async fn turn(figure: u8, side: &Side, settings: Settings) -> anyhow::Result<Outcome> {
    let door = side.door.clone();
    on_own_thread(move || async move {
        match figure {
            2 => publish::turn(door, SINGLE, (Quantity::Single, Quantity::SingleCpu), settings).await,
            3 => publish::turn(door, BATCHES, (Quantity::Batches, Quantity::BatchesCpu), settings).await,
            4 => push::turn(door, Duration::ZERO, (Quantity::Push, Some(Quantity::PushCpu)), settings).await,
            5 => push::turn(door, SLOW, (Quantity::SlowPush, None), settings).await,
            6 => latency::turn(door, settings).await,
            7 => pull::turn(door, settings).await,
            _ => memory::turn(door, settings).await,
        }
    })
    .await
}
