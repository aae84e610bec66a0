//! What comes out of a run.

use serde::Serialize;

use super::rows::{Book, Row};
use super::table::{self, grouped};
use super::turn::Settings;
use crate::bench::problems::Problems;
use crate::bench::report::Machine;

/// Threads that want to run, beyond which a machine is busy before anything is measured.
const BUSY_LOAD: f64 = 1.0;

/// Everything that was measured, and on what.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Version of this program.
    pub version: &'static str,
    /// `release` or `debug`.
    pub build: &'static str,
    /// When it began, in milliseconds since the Unix epoch.
    pub began_at_ms: i64,
    /// What it ran on.
    pub machine: Machine,
    /// Threads that wanted to run in the minute before; `None`: not known.
    pub load_before: Option<f64>,
    /// How much was measured.
    pub settings: Settings,
    /// What a message is.
    pub message: String,
    /// The other side.
    pub against: Option<String>,
    /// The table's rows.
    pub rows: Vec<Row>,
    /// What a reader has to know.
    pub notes: Vec<String>,
    /// Messages that were lost.
    pub problems: Problems,
}

impl Report {
    /// The notes that follow from the rest. `in_memory`: the other side is known to keep nothing on disk.
    pub fn add_notes(&mut self, ours: &Book, theirs: &Book, in_memory: bool) {
        let Machine { processors, processor, file_system } = &self.machine;
        let rounds = self.settings.rounds;
        let mut notes = vec![
            self.message.clone(),
            format!(
                "medians with (lowest..highest), rounds: {rounds}; the sides in turns, a ratio is ours over theirs, round by round"
            ),
            format!("{processors} processors ({processor}), data on {file_system}; both sides with their default settings"),
            format!(
                "this broker answers a publish when it is on disk (fdatasync){}",
                if in_memory { "; the emulator keeps messages in memory" } else { "" }
            ),
            "publish: to a topic with one pull subscription, which keeps every message".to_owned(),
            "push: from the first publish to the last arrival, publishing in batches at the same time; connections and window are warm"
                .to_owned(),
            "publish to handler: from the moment of the schedule, so that waiting behind others counts".to_owned(),
            "memory: resident, of a process just started, measured once; the messages wait for one pull subscription".to_owned(),
            format!("messages waited for: {}", counts(ours, theirs, self.against.is_some(), |book| book.awaited)),
            format!("of these lost: {}", counts(ours, theirs, self.against.is_some(), |book| book.lost)),
            format!("arrived more than once: {}", counts(ours, theirs, self.against.is_some(), |book| book.again)),
        ];
        notes.append(&mut self.notes);
        if let Some(load) = self.load_before.filter(|load| *load > BUSY_LOAD) {
            notes.push(format!(
                "the machine was busy in the minute before (load {load:.1}): if it still was, the figures are in doubt"
            ));
        }
        if self.build == "debug" {
            notes.push("THIS IS A DEBUG BUILD: the figures mean nothing; build with --release".to_owned());
        }
        if file_system == "tmpfs" {
            notes.push("the data is on tmpfs, where a sync costs nothing: choose a disk with --work-dir".to_owned());
        }
        self.notes = notes;
    }

    /// The table and its footnotes.
    #[must_use]
    pub fn text(&self, markdown: bool) -> String {
        let render = if markdown { table::markdown } else { table::terminal };
        let mut text = render(&self.rows, self.against.as_deref());
        if markdown {
            text.push('\n');
        }
        for note in &self.notes {
            text.push_str("- ");
            text.push_str(note);
            text.push('\n');
        }
        text
    }
}

fn counts(ours: &Book, theirs: &Book, beside: bool, of: fn(&Book) -> u64) -> String {
    let ours = grouped(of(ours));
    if beside { format!("{ours} of ours, {} of theirs", grouped(of(theirs))) } else { ours }
}
