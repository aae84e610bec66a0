//! A child process that is killed when nobody holds it any more.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Bytes of the log's end that are shown when something went wrong.
const SHOWN_BYTES: usize = 4_000;

/// A running child. Dropped, it is killed.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; what it says on standard error is added to the file `log`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> Process {
        let errors = OpenOptions::new().create(true).append(true).open(log).expect("a log");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        Process { child, log: log.to_owned() }
    }

    /// Its status when it has ended by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours can be waited for")
    }

    /// SIGKILL, and its end.
    pub fn kill_9(mut self) {
        self.end();
    }

    /// SIGSTOP: it lives and does nothing, its connections stay open.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// The end of its log.
    pub fn said(&self) -> String {
        said(&self.log)
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process has an id");
        // It has not been waited for, so the id is still its own; one that ended by itself hears nothing.
        let _ = kill_process(pid, signal);
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// The end of a log.
pub fn said(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text[text.len().saturating_sub(SHOWN_BYTES)..]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_paused_resumed_and_does_not_outlive_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start(Command::new("sleep").arg("1000"), &folder.path().join("log"));
        let state = |process: &Process| {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.child.id())).unwrap();
            stat.rsplit(") ").next().unwrap().chars().next().unwrap()
        };

        process.pause();
        let paused = (0..100_000).any(|_| {
            std::thread::yield_now();
            state(&process) == 'T'
        });
        assert!(paused);
        process.resume();
        assert!(process.ended().is_none());

        let path = format!("/proc/{}", process.child.id());
        drop(process);
        assert!(!Path::new(&path).exists());
    }
}
