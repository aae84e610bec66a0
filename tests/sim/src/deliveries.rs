//! Lets things happen at Pub/Sub when they are due, and brings pushes to their consumers.

use std::sync::Arc;

use events::pubsub::Message;
use http::Request;
use testkit::pubsub::{Push, Step};

use crate::time::wait;
use crate::world::{World, locked};

/// What Pub/Sub makes of an endpoint that cannot be reached.
const UNREACHABLE: u16 = 502;

/// Delivers until the run is over.
pub(crate) async fn deliver(world: Arc<World>) {
    loop {
        let next_ms = locked(&world.pubsub).next_event_ms();
        let Some(at_ms) = next_ms else {
            world.pubsub_changed.notified().await;
            continue;
        };
        let now_ms = world.clock.now_ms();
        if at_ms > now_ms {
            tokio::select! {
                biased;
                () = world.pubsub_changed.notified() => {}
                () = wait(at_ms - now_ms) => {}
            }
            continue;
        }
        let step = locked(&world.pubsub).step();
        if let Step::Push(push) = step {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.push(push).await });
        }
    }
}

impl World {
    async fn push(self: Arc<Self>, push: Push) {
        let Some((&name, house)) = consumer(&push.endpoint).and_then(|name| self.houses.get_key_value(name)) else {
            return;
        };
        let message =
            Message { attributes: push.message.draft.attributes.clone(), data: push.message.draft.data.to_vec() };
        let status = match self.hooks.pushed(&self, name, &message) {
            Some(status) => Some(status),
            None if house.doors().is_none() => None,
            None => {
                self.count(|tally| tally.deliveries += 1);
                let request = Request::post("/")
                    .header("content-type", "application/json")
                    .body(push.envelope().to_string().into())
                    .expect("a push is a request");
                self.serve(name, request).await.ok().map(|response| response.status().as_u16())
            }
        };
        let status = status.unwrap_or(UNREACHABLE);
        let attribute = |name: &str| message.attributes.get(name).map_or("", String::as_str);
        let attempt = push.attempt.unwrap_or(1);
        self.note(format_args!(
            "push {name} {} {} of {} attempt {attempt}: {status}",
            attribute("ce-type"),
            attribute("ce-id"),
            attribute("ce-subject")
        ));
        self.count(|tally| tally.nacks += u64::from(status >= 300));
        locked(&self.pubsub).answer(push.id, status);
        self.pubsub_changed.notify_one();
    }
}

fn consumer(endpoint: &str) -> Option<&str> {
    endpoint.strip_prefix("http://")?.strip_suffix('/')
}
