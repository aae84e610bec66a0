//! Snapshots: create, get, list, update, delete.

use std::sync::Arc;

use google_cloud_googleapis::pubsub::v1 as pb;
use prost_types::Timestamp;

use super::mask;
use super::page::page;
use super::subscription_check::labels;
use crate::core::{Core, in_project};
use crate::error::{Code, Refusal};
use crate::limits::{SNAPSHOT_LIFE_MIN_MS, SNAPSHOT_LIFE_MS, SNAPSHOT_MESSAGES, SNAPSHOTS};
use crate::log::SavedSnapshot;
use crate::names;
use crate::snapshot::Snapshot;
use crate::sync::{read, write};
use crate::terms::seconds_to_millis;

/// Keeps what a subscription owes now, and what its topic gets from now on.
pub(crate) async fn create_snapshot(
    core: &Arc<Core>,
    request: pb::CreateSnapshotRequest,
) -> Result<pb::Snapshot, Refusal> {
    names::check(&request.name, "snapshots")?;
    names::check(&request.subscription, "subscriptions")?;
    labels(&request.labels)?;
    core.change(move |core, log| {
        if read(&core.snapshots).contains_key(&request.name) {
            return Err(Refusal::already_exists("Snapshot", &request.name));
        }
        if read(&core.snapshots).len() >= SNAPSHOTS {
            return Err(Refusal::new(Code::ResourceExhausted, format!("there are {SNAPSHOTS} snapshots already")));
        }
        let subscription = core.attached(&request.subscription)?;
        let owed = subscription.owed();
        let remembered: usize = read(&core.snapshots).values().map(|s| s.len()).sum();
        if remembered + owed.len() > SNAPSHOT_MESSAGES {
            return Err(Refusal::new(
                Code::ResourceExhausted,
                format!("all snapshots together remember at most {SNAPSHOT_MESSAGES} unacked messages"),
            ));
        }
        let now_ms = core.clock.wall_ms();
        let age_ms = owed.first().map_or(0, |oldest| now_ms.saturating_sub(oldest.publish_ms));
        let life_ms = SNAPSHOT_LIFE_MS.saturating_sub(age_ms);
        if life_ms < SNAPSHOT_LIFE_MIN_MS {
            return Err(Refusal::new(
                Code::FailedPrecondition,
                "the oldest unacked message is so old that the snapshot would expire within an hour",
            ));
        }
        let config = pb::Snapshot {
            name: request.name,
            topic: subscription.config().topic,
            expire_time: Some(timestamp(now_ms + life_ms)),
            labels: request.labels,
        };
        let topic = subscription.topic.number;
        let ids = owed.iter().map(|m| m.id).collect();
        let snapshot = Snapshot::new(config.clone(), topic, log.next_id(), ids);
        let mut catalogue = core.catalogue();
        catalogue.snapshots.push(snapshot.saved());
        core.save(&catalogue)?;
        owed.into_iter().for_each(|message| snapshot.hold(message));
        write(&core.snapshots).insert(config.name.clone(), Arc::new(snapshot));
        Ok(config)
    })
    .await
}

pub(crate) fn get_snapshot(core: &Core, name: &str) -> Result<pb::Snapshot, Refusal> {
    names::check(name, "snapshots")?;
    Ok(core.snapshot(name)?.config())
}

pub(crate) fn list_snapshots(
    core: &Core,
    request: &pb::ListSnapshotsRequest,
) -> Result<pb::ListSnapshotsResponse, Refusal> {
    let project = names::project(&request.project)?;
    let all: Vec<Arc<Snapshot>> =
        read(&core.snapshots).values().filter(|s| in_project(&s.name, project)).cloned().collect();
    let (snapshots, next_page_token) = page(all, |s| &s.name, request.page_size, &request.page_token)?;
    Ok(pb::ListSnapshotsResponse { snapshots: snapshots.iter().map(|s| s.config()).collect(), next_page_token })
}

pub(crate) fn list_topic_snapshots(
    core: &Core,
    request: &pb::ListTopicSnapshotsRequest,
) -> Result<pb::ListTopicSnapshotsResponse, Refusal> {
    names::check(&request.topic, "topics")?;
    let number = core.topic(&request.topic)?.number;
    let all = read(&core.snapshots).values().filter(|s| s.topic == number).map(|s| s.name.clone()).collect();
    let (snapshots, next_page_token) = page(all, |name: &String| name, request.page_size, &request.page_token)?;
    Ok(pb::ListTopicSnapshotsResponse { snapshots, next_page_token })
}

/// Changes labels, or the time at which it expires.
pub(crate) async fn update_snapshot(
    core: &Arc<Core>,
    request: pb::UpdateSnapshotRequest,
) -> Result<pb::Snapshot, Refusal> {
    let wanted = request.snapshot.ok_or_else(|| Refusal::invalid("A snapshot must be given"))?;
    let paths = mask::paths(request.update_mask)?;
    names::check(&wanted.name, "snapshots")?;
    core.change(move |core, _| {
        let snapshot = core.snapshot(&wanted.name)?;
        let mut config = snapshot.config();
        for path in &paths {
            match path.as_str() {
                "labels" => config.labels.clone_from(&wanted.labels),
                "expire_time" => config.expire_time = Some(expiry(core, wanted.expire_time)?),
                _ => return Err(mask::refused("Snapshot", path, &["name", "topic"], &[])),
            }
        }
        labels(&config.labels)?;
        let mut catalogue = core.catalogue();
        for saved in catalogue.snapshots.iter_mut().filter(|s| s.config.name == config.name) {
            saved.config.clone_from(&config);
        }
        core.save(&catalogue)?;
        snapshot.set_config(config.clone());
        Ok(config)
    })
    .await
}

pub(crate) async fn delete_snapshot(core: &Arc<Core>, name: String) -> Result<(), Refusal> {
    names::check(&name, "snapshots")?;
    core.change(move |core, _| {
        let snapshot = core.snapshot(&name)?;
        let mut catalogue = core.catalogue();
        catalogue.snapshots.retain(|s: &SavedSnapshot| s.config.name != name);
        core.save(&catalogue)?;
        write(&core.snapshots).remove(&name);
        snapshot.release(&core.log);
        Ok(())
    })
    .await
}

/// An expiry that lies ahead, at most a snapshot's life away.
fn expiry(core: &Core, time: Option<Timestamp>) -> Result<Timestamp, Refusal> {
    let now_ms = core.clock.wall_ms();
    let good = |time: &Timestamp| {
        (0..=999_999_999).contains(&time.nanos)
            && (now_ms..=now_ms + SNAPSHOT_LIFE_MS).contains(&seconds_to_millis(time.seconds, time.nanos))
    };
    time.filter(good).ok_or_else(|| Refusal::invalid("expire_time must lie in the next seven days"))
}

fn timestamp(epoch_ms: u64) -> Timestamp {
    let seconds = i64::try_from(epoch_ms / 1000).unwrap_or(i64::MAX);
    Timestamp { seconds, nanos: i32::try_from(epoch_ms % 1000 * 1_000_000).unwrap_or(0) }
}
