//! A replay is killed between any two of its steps, and in the middle of the one that publishes: nothing is lost, nothing doubled.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bus::{Bus, Outgoing, Published};
use futures::FutureExt;
use futures::future::BoxFuture;
use ops::Progress;
use serde_json::json;

use crate::world::{Mode, World, once, orders};

/// Publishes, and now and then never says so.
struct Forgetful {
    inner: Arc<dyn Bus>,
    calls: AtomicUsize,
}

impl Bus for Forgetful {
    fn publish(&self, batch: Vec<Outgoing>) -> BoxFuture<'_, Vec<Published>> {
        let is_lost = self.calls.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        async move {
            let answers = self.inner.publish(batch).await;
            if is_lost {
                std::future::pending::<()>().await;
            }
            answers
        }
        .boxed()
    }
}

#[tokio::test]
async fn killed_after_every_step_it_goes_on_from_its_tables() {
    let mut world = World::open().await;
    world.bury(&orders(40)).await;
    let replay = world.replay(json!({ "ramp": [1, 5, 20] })).await;
    let mut kills = 0;
    loop {
        world.restart();
        kills += 1;
        match world.advance(&replay).await {
            Progress::Moved => {}
            Progress::Waits => world.pump().await,
            Progress::Rests => break,
        }
    }
    assert!(kills > 12, "only {kills} kills");
    assert_eq!(world.effects().await, once(&orders(40)));
    assert_eq!(world.states().await, [("handled".to_owned(), 40)].into());
    assert_eq!(world.get(&format!("/replays/{replay}")).await["messages"]["handled"], 40);
}

#[tokio::test]
async fn killed_between_a_publish_and_its_mark_it_publishes_again_and_nothing_happens_twice() {
    let mut world = World::open().await;
    world.bury(&orders(30)).await;
    world.bus = Arc::new(Forgetful { inner: Arc::clone(&world.door) as _, calls: AtomicUsize::new(0) });
    let replay = world.replay(json!({ "ramp": [1, 5] })).await;
    let mut kills = 0;
    loop {
        world.restart();
        let now_ms = world.pass_ms(1_000);
        // As long as nothing else is under way the simulation answers at once: whoever is still waiting was forgotten.
        let replays = world.ops().replays.clone();
        let step = tokio::time::timeout(std::time::Duration::from_millis(500), replays.advance(&replay, now_ms)).await;
        match step {
            Err(_) => kills += 1,
            Ok(Ok(Progress::Moved)) => {}
            Ok(Ok(Progress::Waits)) => world.pump().await,
            Ok(Ok(Progress::Rests)) => break,
            Ok(Err(error)) => panic!("{error}"),
        }
    }
    assert!(kills >= 3, "only {kills} kills");
    world.pump().await;
    assert_eq!(world.effects().await, once(&orders(30)));
    assert_eq!(world.states().await, [("handled".to_owned(), 30)].into());
    assert_eq!(world.ingest().await, 0, "no duplicate became a dead letter");
}

#[tokio::test]
async fn killed_at_any_point_of_a_stop_and_a_resume_it_loses_and_doubles_nothing() {
    let mut world = World::open().await;
    world.bury(&orders(20)).await;
    let replay = world.replay(json!({ "ramp": [2, 5] })).await;
    world.mode(Mode::BrokenFor7);
    loop {
        world.restart();
        match world.advance(&replay).await {
            Progress::Moved => {}
            Progress::Waits => world.pump().await,
            Progress::Rests => {
                if world.get(&format!("/replays/{replay}")).await["state"] == "finished" {
                    break;
                }
                // The death may come in before or after the resume.
                world.mode(Mode::Works);
                let resume = json!({ "by": "grace", "why": "mended" });
                assert!(world.post(&format!("/replays/{replay}/resume"), &resume).await.status.is_success());
                world.restart();
                world.ingest().await;
            }
        }
    }
    world.ingest().await;
    assert_eq!(world.effects().await, once(&orders(20)));
    assert_eq!(world.states().await, [("handled".to_owned(), 20)].into());
}
