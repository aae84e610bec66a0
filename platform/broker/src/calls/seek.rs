//! Seek: a subscription goes back, or ahead, to a time or a snapshot.

use std::io;
use std::sync::Arc;

use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::seek_request::Target;

use crate::core::Core;
use crate::error::{Code, Refusal};
use crate::log::{Extent, Start, Stored};
use crate::names;
use crate::snapshot::Snapshot;
use crate::subscription::{Sought, Subscription};
use crate::terms::seconds_to_millis;

/// Makes a subscription owe what the target says, as far as the log still has it.
///
/// The log is read beside the writer first, then its tail between two groups, so that publishers hardly wait.
pub(crate) async fn seek(core: &Arc<Core>, request: pb::SeekRequest) -> Result<pb::SeekResponse, Refusal> {
    names::check(&request.subscription, "subscriptions")?;
    let goal = Arc::new(Goal::of(core, &request)?);
    let extent = core.change(|_, log| Ok(log.extent())).await?;
    let reading = Arc::clone(&goal);
    let read = tokio::task::spawn_blocking(move || {
        let mut sought = Sought { from_id: reading.subscription.first_id(), ..Sought::default() };
        reading.scan(&extent, &mut sought).map(|()| (extent, sought))
    });
    let (extent, mut sought) = read.await.map_err(|error| unreadable(&error))?.map_err(|error| unreadable(&error))?;
    core.change(move |core, log| {
        let subscription = Arc::clone(&goal.subscription);
        if subscription.is_deleted() {
            return Err(Refusal::not_found("Subscription", &subscription.name));
        }
        core.attached(&subscription.name)?;
        goal.scan(&log.extent().since(&extent), &mut sought).map_err(|error| unreadable(&error))?;
        sought.skip_until_ms = goal.skip_until_ms(core.clock.wall_ms());
        sought.from_id = sought.found.first().map_or(sought.from_id, |first| first.id.min(sought.from_id));
        let (from_id, skip_until_ms) = (sought.from_id, sought.skip_until_ms);
        let save = || {
            let mut catalogue = core.catalogue();
            for saved in catalogue.subscriptions.iter_mut().filter(|s| s.number == subscription.number) {
                (saved.from_id, saved.skip_until_ms) = (from_id, skip_until_ms);
            }
            core.save(&catalogue)
        };
        subscription.seek(sought, |message| goal.wants(message), save)
    })
    .await?;
    Ok(pb::SeekResponse {})
}

/// Where a subscription is to go.
struct Goal {
    subscription: Arc<Subscription>,
    place: Place,
    /// Acked messages published before this time are not brought back.
    retained_from_ms: u64,
}

enum Place {
    Time(u64),
    Snapshot(Arc<Snapshot>),
}

impl Goal {
    fn of(core: &Core, request: &pb::SeekRequest) -> Result<Goal, Refusal> {
        let subscription = core.attached(&request.subscription)?;
        let place = match &request.target {
            Some(Target::Time(time)) => Place::Time(seconds_to_millis(time.seconds, time.nanos)),
            Some(Target::Snapshot(name)) => {
                names::check(name, "snapshots")?;
                Place::Snapshot(core.snapshot(name)?)
            }
            None => return Err(Refusal::invalid("A time or a snapshot must be given")),
        };
        if let Place::Snapshot(snapshot) = &place
            && snapshot.topic != subscription.topic.number
        {
            return Err(Refusal::new(Code::FailedPrecondition, "The snapshot is of another topic"));
        }
        let topic = core.topic(&subscription.config().topic).ok();
        let kept_ms = subscription.terms().retain_acked_ms().max(topic.map_or(0, |topic| topic.retention_ms()));
        let retained_from_ms = if kept_ms == 0 { u64::MAX } else { core.clock.wall_ms().saturating_sub(kept_ms) };
        Ok(Goal { subscription, place, retained_from_ms })
    }

    /// Whether a message shall be owed.
    fn wants(&self, message: &Stored) -> bool {
        match &self.place {
            Place::Time(ms) => message.publish_ms >= *ms,
            Place::Snapshot(snapshot) => snapshot.has(message.id),
        }
    }

    /// Whether a message that is acked can be brought back.
    fn is_retained(&self, message: &Stored) -> bool {
        matches!(self.place, Place::Snapshot(_)) || message.publish_ms >= self.retained_from_ms
    }

    /// Where in the log there can be something to bring back; nowhere if nothing is retained.
    fn start(&self) -> Option<Start> {
        match &self.place {
            Place::Time(_) if self.retained_from_ms == u64::MAX => None,
            Place::Time(ms) => Some(Start { id: 0, publish_ms: *ms }),
            Place::Snapshot(snapshot) => Some(Start { id: snapshot.first_id(), publish_ms: 0 }),
        }
    }

    fn skip_until_ms(&self, now_ms: u64) -> u64 {
        match self.place {
            Place::Time(ms) if ms > now_ms => ms,
            _ => 0,
        }
    }

    fn scan(&self, extent: &Extent, sought: &mut Sought) -> io::Result<()> {
        let Some(start) = self.start() else { return Ok(()) };
        let from_id = self.subscription.first_id();
        extent.scan(self.subscription.topic.number, start, |message, payload| {
            if !self.subscription.passes(payload) {
                return;
            }
            if self.wants(&message) && self.is_retained(&message) {
                sought.found.push(message);
            } else if message.id < from_id && matches!(self.place, Place::Snapshot(_)) {
                sought.passed.push(message);
            }
        })
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::unavailable(format!("the log cannot be read: {error}"))
}
