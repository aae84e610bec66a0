//! What happened, line by line: a hash of all of it, and the lines themselves for whoever wants to read them.

use std::fmt::{Arguments, Write};
use std::hash::{DefaultHasher, Hasher};

/// The trace of one run.
#[derive(Debug)]
pub(crate) struct Trace {
    hasher: DefaultHasher,
    line: String,
    kept: Option<Vec<String>>,
    steps: u64,
}

impl Trace {
    /// An empty trace; it keeps its lines when told to.
    pub(crate) fn new(keeps_lines: bool) -> Self {
        Self { hasher: DefaultHasher::new(), line: String::new(), kept: keeps_lines.then(Vec::new), steps: 0 }
    }

    /// Adds a line.
    pub(crate) fn note(&mut self, at_ms: u64, what: Arguments<'_>) {
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.line, "{:>4}.{:03} {what}", at_ms / 1_000, at_ms % 1_000);
        self.hasher.write(self.line.as_bytes());
        self.hasher.write_u8(b'\n');
        self.steps += 1;
        if let Some(kept) = &mut self.kept {
            kept.push(self.line.clone());
        }
    }

    /// Lines so far.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// The hash of every line so far.
    pub(crate) fn hash(&self) -> u64 {
        self.hasher.finish()
    }

    /// The lines, if they were kept.
    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        self.kept.take().unwrap_or_default()
    }
}
