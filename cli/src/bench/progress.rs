//! What the person sees meanwhile: one line on standard error, and nothing when nobody watches.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// The stage a run is in.
pub struct Progress(ProgressBar);

impl Progress {
    /// A run of `stages` stages.
    #[must_use]
    pub fn new(stages: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(stages);
        let style = ProgressStyle::with_template("{spinner} {elapsed_precise} [{bar:24}] {msg}");
        bar.set_style(style.expect("the template is a constant that works"));
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    /// The next stage begins.
    pub fn stage(&self, what: impl Into<String>) {
        self.0.set_message(what.into());
        self.0.inc(1);
    }

    /// The run is over.
    pub fn done(&self) {
        self.0.finish_and_clear();
    }
}
