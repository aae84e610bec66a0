//! Threads for the work that nobody waits for.

use std::future::Future;

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};

/// How far its threads stand back, as in `nice(1)`.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// A runtime whose threads, and the threads they start, leave the processor to others. On systems where niceness belongs to a whole
/// process they are ordinary threads.
pub struct Background(Option<Runtime>);

impl Background {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system has no more.
    pub fn start() -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .thread_name("background")
            .enable_all()
            .on_thread_start(stand_back)
            .build()
            .context("cannot start the background threads")?;
        Ok(Self(Some(runtime)))
    }

    /// Runs `work` here; what it spawns stays here.
    ///
    /// # Errors
    /// The work's own, or its panic.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
    ) -> anyhow::Result<T> {
        let runtime = self.0.as_ref().expect("it is taken only by the drop");
        runtime.spawn(work).await.context("a background task failed")?
    }
}

impl Drop for Background {
    /// Without waiting: an async task may not block.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(%error, "background threads run like all others");
    }
}
