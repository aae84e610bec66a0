//! A process the benchmark started, and its end.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use runtime::clock::Stopwatch;
use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to end after it was asked.
const FINISH_WITHIN: Duration = Duration::from_secs(30);
/// How often its end is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Lines of a process's log that are shown when it fails.
const LOG_LINES: usize = 15;

/// A process of ours. Dropped while it runs, it is killed: an error or an interruption leaves nothing behind.
pub struct Process(Child);

impl Process {
    /// This program, with other arguments. `configure` sets the rest: environment and streams.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn start(arguments: &[&str], configure: impl FnOnce(&mut Command)) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        Self::start_program(&program, arguments, configure)
    }

    /// Another program: a path, or a name that is looked for as the shell does.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn start_program(
        program: &Path,
        arguments: &[impl AsRef<OsStr>],
        configure: impl FnOnce(&mut Command),
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        configure(&mut command);
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self(child))
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// How it ended; `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        // Asking about a child of ours fails only when it is gone.
        self.0.try_wait().ok().flatten()
    }

    /// The child itself, for its streams.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Asks it to end (SIGTERM) and waits; kills it when it takes too long. True: it ended by itself.
    pub async fn stop(mut self) -> bool {
        self.ask_to_end();
        let waited = Stopwatch::start();
        while waited.elapsed() < FINISH_WITHIN {
            if self.ended().is_some() {
                return true;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        false
    }

    fn ask_to_end(&self) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // One that has ended already need not be asked.
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            // It may end by itself between the look and the kill.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// The end of a log.
#[must_use]
pub fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

/// Returns when the person or the machine asks this program to stop.
pub async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let asked = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    // Without a handler Ctrl-C ends the process the hard way: nothing to wait for.
                    result = tokio::signal::ctrl_c() => if result.is_err() { std::future::pending().await },
                }
            }
            Err(_) => std::future::pending().await,
        }
    };
    asked.await;
}
