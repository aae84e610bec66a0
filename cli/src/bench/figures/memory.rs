//! Figure 5: resident memory of the whole shop, idle and under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinHandle;

use crate::bench::numbers::number;
use crate::bench::procfs;

/// How often memory is looked at under load.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Resident memory, in MB of 1,000,000 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// Before the first request.
    pub idle_mb: f64,
    /// The most seen under load.
    pub loaded_mb: f64,
    /// The most ever, by the kernel's own mark; for a shop that ran before it includes its past.
    pub high_water_mb: f64,
}

/// Looks at a process until it is asked for the most it saw.
pub struct Watch {
    pid: u32,
    idle_kib: u64,
    highest_kib: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Notes the idle memory and begins to look.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn begin(pid: u32) -> anyhow::Result<Self> {
        let idle_kib = procfs::memory(pid)?.resident_kib;
        let highest_kib = Arc::new(AtomicU64::new(idle_kib));
        let highest = Arc::clone(&highest_kib);
        let task = tokio::spawn(async move {
            while let Ok(memory) = procfs::memory(pid) {
                highest.fetch_max(memory.resident_kib, Ordering::Relaxed);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        Ok(Self { pid, idle_kib, highest_kib, task })
    }

    /// What was seen.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn end(self) -> anyhow::Result<Memory> {
        self.task.abort();
        let high_water_kib = procfs::memory(self.pid)?.highest_kib;
        let loaded_kib = self.highest_kib.load(Ordering::Relaxed);
        Ok(Memory { idle_mb: mb(self.idle_kib), loaded_mb: mb(loaded_kib), high_water_mb: mb(high_water_kib) })
    }
}

/// KiB in MB of 1,000,000 bytes.
#[must_use]
pub fn mb(kib: u64) -> f64 {
    number(kib) * 1_024.0 / 1_000_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kib_become_mb_of_a_million_bytes() {
        assert!((mb(62_500) - 64.0).abs() < 1e-9);
    }
}
