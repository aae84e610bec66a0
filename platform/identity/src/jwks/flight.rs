//! A fetch that is under way, as those see it who wait for it.

use tokio::sync::watch;

/// A fetch. Clones are the same one.
#[derive(Clone)]
pub(super) struct Flight(watch::Receiver<()>);

impl Flight {
    /// A fetch that ends when the sender is dropped, however that comes about.
    pub(super) fn begin() -> (watch::Sender<()>, Self) {
        let (landing, flight) = watch::channel(());
        (landing, Self(flight))
    }

    pub(super) fn is_under_way(&self) -> bool {
        // The error is that the sender is gone.
        self.0.has_changed().is_ok()
    }

    pub(super) async fn landed(mut self) {
        // Nothing is ever sent: what is heard is that the sender is gone.
        let _ = self.0.changed().await;
    }
}
