//! A ruler's process, seen from the benchmark.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::RulerKind;
use crate::bench::child::Process;

/// What a ruler prints once it listens.
#[derive(Debug, Serialize, Deserialize)]
pub struct Address {
    /// Where it listens.
    pub address: SocketAddr,
}

/// A ruler at work.
pub struct Ruler {
    kind: RulerKind,
    address: SocketAddr,
    process: Process,
}

impl Ruler {
    /// Starts the ruler with an empty database below `folder`.
    ///
    /// # Errors
    /// When the process does not start or does not say where it listens.
    pub async fn start(kind: RulerKind, folder: &Path) -> anyhow::Result<Self> {
        let data = folder.join("rulers");
        let data = data.to_str().context("the work folder's name is not UTF-8: choose another with --work-dir")?;
        let mut process = Process::start(&["ruler", kind.name(), "--data", data], |command| {
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        })?;
        let stdout = process.child().stdout.take().context("the ruler's output is piped")?;
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).map(|_| line)
        });
        let line = line.await??;
        let Address { address } = serde_json::from_str(&line)
            .with_context(|| format!("ruler {} did not say where it listens but {line:?}", kind.name()))?;
        Ok(Self { kind, address, process })
    }

    /// Which one it is.
    #[must_use]
    pub fn kind(&self) -> RulerKind {
        self.kind
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it.
    pub async fn stop(self) {
        // One that had to be killed has nothing to lose.
        let _ = self.process.stop().await;
    }
}
