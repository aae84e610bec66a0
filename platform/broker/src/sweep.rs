//! Lets time pass for subscriptions that nobody pulls from.

use std::sync::Arc;
use std::time::Duration;

use crate::core::Core;
use crate::limits::{SWEEP_MS, SWEEPS_PER_PURGE};
use crate::sync::stopped;

/// Expires leases and drops messages past their retention until the broker stops.
pub(crate) async fn run(core: Arc<Core>) {
    let mut stopping = core.stopping.subscribe();
    let mut sweeps = 0u64;
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(SWEEP_MS)) => {}
            () = stopped(&mut stopping) => return,
        }
        sweeps += 1;
        core.log.save_acks();
        for subscription in core.all_subscriptions() {
            core.forward(&subscription, subscription.pass());
            if sweeps.is_multiple_of(SWEEPS_PER_PURGE) {
                subscription.purge();
            }
        }
    }
}
