//! Lets time pass for subscriptions that nobody pulls from.

use std::sync::Arc;
use std::time::Duration;

use crate::calls;
use crate::core::Core;
use crate::limits::{SWEEP_MS, SWEEPS_PER_PURGE};
use crate::sync::{read, stopped};

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
        if sweeps.is_multiple_of(SWEEPS_PER_PURGE) {
            expire(&core).await;
            core.log.reclaim();
        }
    }
}

/// Deletes snapshots and subscriptions whose time is over.
async fn expire(core: &Arc<Core>) {
    let now_ms = core.clock.wall_ms();
    let snapshots: Vec<_> = read(&core.snapshots).values().filter(|s| s.has_expired(now_ms)).cloned().collect();
    for snapshot in snapshots {
        tracing::info!(snapshot = %snapshot.name, "a snapshot expires");
        if let Err(refusal) = calls::delete_snapshot(core, snapshot.name.clone()).await {
            tracing::warn!(snapshot = %snapshot.name, reason = refusal.message, "it is tried again");
        }
    }
    for subscription in core.all_subscriptions() {
        // Asked one by one: deleting takes its time, and somebody may have come back.
        if !subscription.has_expired() {
            continue;
        }
        tracing::info!(subscription = %subscription.name, "a subscription that nobody uses expires");
        if let Err(refusal) = calls::delete_subscription(core, subscription.name.clone()).await {
            tracing::warn!(subscription = %subscription.name, reason = refusal.message, "it is tried again");
        }
    }
}
