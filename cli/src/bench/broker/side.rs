//! A side that runs: how it is started, reached and looked at.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use runtime::clock::Stopwatch;
use tempfile::TempDir;

use super::client::Client;
use super::emulator;
use super::kind::Kind;
use crate::bench::child::{Process, tail};
use crate::bench::figures::memory::mb;
use crate::bench::figures::start::free_address;
use crate::bench::procfs;

/// How long a side may take to its first answered publish.
const START_WITHIN: Duration = Duration::from_secs(60);
/// How often a starting side is tried.
const TRY_EVERY: Duration = Duration::from_millis(1);

/// The way to a side that runs.
#[derive(Debug, Clone)]
pub struct Door {
    host: String,
    /// `None`: its process is not ours to look at.
    pid: Option<u32>,
}

impl Door {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn connect(&self) -> anyhow::Result<Client> {
        Client::connect(&self.host).await
    }

    /// CPU time of its process so far, in microseconds; `None` when the process is not ours.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn cpu_us(&self) -> anyhow::Result<Option<u64>> {
        let ms = self.pid.map(procfs::cpu_ms).transpose()?;
        Ok(ms.map(|ms| ms * 1_000))
    }

    /// Its resident memory in MB of 1,000,000 bytes; `None` when the process is not ours.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn resident_mb(&self) -> anyhow::Result<Option<f64>> {
        let memory = self.pid.map(procfs::memory).transpose()?;
        Ok(memory.map(|memory| mb(memory.resident_kib)))
    }
}

/// A side that runs.
pub struct Side {
    /// Its name, for people.
    pub name: String,
    /// The way to it.
    pub door: Door,
    /// From the making of its process to its first answered publish, in milliseconds.
    pub start_ms: f64,
    process: Option<Process>,
    /// Goes after the process.
    _folder: TempDir,
}

impl Side {
    /// Starts it and waits until it has answered a create topic and a publish; one that runs already is asked as well.
    ///
    /// # Errors
    /// When it does not answer; the end of its log is in the error.
    pub async fn start(kind: &Kind, work: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir_in(work).context("cannot make a folder for the broker")?;
        let address = free_address()?;
        let (host, port) = (address.ip().to_string(), address.port());
        let log = folder.path().join("log");
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let errors = file.try_clone()?;
        let streams = |command: &mut Command| {
            command.stdout(file).stderr(errors);
        };
        let watch = Stopwatch::start();
        let (host, process) = match kind {
            Kind::Ours => {
                let data = folder.path().join("data");
                let data =
                    data.to_str().context("the work folder's name is not UTF-8: choose another with --work-dir")?;
                let arguments = ["broker", "--host-port", &address.to_string(), "--data", data];
                (address.to_string(), Some(Process::start(&arguments, streams)?))
            }
            Kind::Emulator(jar) => {
                let arguments = emulator::arguments(jar, &host, port);
                let process = Process::start_program(Path::new("java"), &arguments, streams);
                (address.to_string(), Some(process.context("Google's emulator needs Java 11 or newer")?))
            }
            Kind::Running(host) => (host.clone(), None),
        };
        let door = Door { host, pid: process.as_ref().map(Process::id) };
        let mut side = Self { name: kind.name(), door, process, start_ms: 0.0, _folder: folder };
        let (client, topic) = side.first_publish(&log, watch).await?;
        side.start_ms = watch.elapsed().as_secs_f64() * 1_000.0;
        client.remove_topic(topic).await?;
        Ok(side)
    }

    /// Ends it in order, if it is ours. One that has to be killed has nothing to lose.
    pub async fn stop(self) {
        if let Some(process) = self.process {
            process.stop().await;
        }
    }

    async fn first_publish(&mut self, log: &Path, watch: Stopwatch) -> anyhow::Result<(Client, String)> {
        loop {
            let error = match try_publish(&self.door).await {
                Ok(published) => return Ok(published),
                Err(error) => error,
            };
            match &mut self.process {
                None => return Err(error),
                Some(process) => {
                    if let Some(status) = process.ended() {
                        bail!("{} ended at once ({status}):\n{}", self.name, tail(log));
                    }
                }
            }
            if watch.elapsed() > START_WITHIN {
                let secs = START_WITHIN.as_secs();
                bail!("{} answered no publish within {secs} s: {error:#}\n{}", self.name, tail(log));
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
    }
}

async fn try_publish(door: &Door) -> anyhow::Result<(Client, String)> {
    let client = door.connect().await?;
    let topic = client.topic().await?;
    client.request(&topic, 0..1).await?;
    Ok((client, topic))
}
