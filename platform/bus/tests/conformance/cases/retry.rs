//! Retry policies.

use testkit::pubsub::{Backoff, Code, SubscriptionSpec};

use crate::run::claims;
use crate::world::{World, refused};

claims! { "retry":
    waits_grow_from_the_lower_bound,
    waits_between_pushes_grow_from_the_lower_bound,
    a_wait_holds_for_a_lease_that_ended,
    without_a_policy_a_nack_brings_a_message_again_at_once,
    a_message_that_waits_holds_up_no_other,
    bounds_out_of_order_or_above_ten_minutes_are_refused,
}

const GROWING: Backoff = Backoff { min_ms: 300, max_ms: 1_000 };
/// What each wait is at least.
const WAITS_MS: [u64; 3] = [300, 600, 1_000];
/// Clocks are read on both ends.
const SLACK_MS: u64 = 20;

async fn waits_grow_from_the_lower_bound(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.retry = Some(GROWING)).await;
    world.say(&topic, &["a"]).await;
    let mut received = world.next(&subscription).await;
    for least_ms in WAITS_MS {
        let nacked_ms = world.engine.elapsed_ms();
        world.nack(&subscription, &[received]).await;
        received = world.next(&subscription).await;
        let waited_ms = world.engine.elapsed_ms() - nacked_ms;
        assert!(waited_ms + SLACK_MS >= least_ms, "{waited_ms} instead of {least_ms}");
    }
}

async fn waits_between_pushes_grow_from_the_lower_bound(world: World) {
    let (endpoint, inbox) = world.endpoint(|_, nth| if nth < 4 { 503 } else { 204 }).await;
    let (topic, _) = world.pair(|spec| (spec.retry, spec.push_endpoint) = (Some(GROWING), endpoint)).await;
    world.say(&topic, &["a"]).await;
    let arrivals = world.arrivals(&inbox, 4).await;
    for (pair, least_ms) in arrivals.windows(2).zip(WAITS_MS) {
        let waited_ms = pair[1].at_ms - pair[0].at_ms;
        assert!(waited_ms + SLACK_MS >= least_ms, "{waited_ms} instead of {least_ms}");
    }
}

async fn a_wait_holds_for_a_lease_that_ended(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.retry = Some(Backoff { min_ms: 900, max_ms: 900 })).await;
    world.say(&topic, &["a"]).await;
    let received = world.next(&subscription).await;
    let leased_ms = world.engine.elapsed_ms();
    world.deadline(&subscription, &[received], 1).await;
    world.next(&subscription).await;
    let waited_ms = world.engine.elapsed_ms() - leased_ms;
    assert!(waited_ms + SLACK_MS >= 1_900, "{waited_ms}");
}

async fn without_a_policy_a_nack_brings_a_message_again_at_once(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.ack_deadline_s = 600).await;
    world.say(&topic, &["a"]).await;
    let started_ms = world.engine.elapsed_ms();
    for _ in 0..5 {
        let received = world.next(&subscription).await;
        world.nack(&subscription, &[received]).await;
    }
    let waited_ms = world.engine.elapsed_ms() - started_ms;
    assert!(waited_ms < 9_000, "{waited_ms}");
}

async fn a_message_that_waits_holds_up_no_other(world: World) {
    let wait = Backoff { min_ms: 1_000, max_ms: 1_000 };
    let (topic, subscription) = world.pair(|spec| spec.retry = Some(wait)).await;
    world.say(&topic, &["waits"]).await;
    let received = world.next(&subscription).await;
    let nacked_ms = world.engine.elapsed_ms();
    world.nack(&subscription, &[received]).await;
    world.say(&topic, &["goes"]).await;
    assert_eq!(world.next(&subscription).await.text(), "goes");
    assert_eq!(world.next(&subscription).await.text(), "waits");
    let waited_ms = world.engine.elapsed_ms() - nacked_ms;
    assert!(waited_ms + SLACK_MS >= 1_000, "{waited_ms}");
}

async fn bounds_out_of_order_or_above_ten_minutes_are_refused(world: World) {
    let topic = world.topic("orders").await;
    for (min_ms, max_ms) in [(20_000, 10_000), (10_000, 601_000), (601_000, 601_000)] {
        let spec = SubscriptionSpec { retry: Some(Backoff { min_ms, max_ms }), ..world.spec("oms", &topic) };
        let answer = world.engine.create_subscription(&spec).await;
        assert_eq!(refused(answer), Code::InvalidArgument, "{min_ms}..{max_ms}");
    }
    let bounds = Backoff { min_ms: 0, max_ms: 600_000 };
    world.subscription("oms", &topic, |spec| spec.retry = Some(bounds)).await;
}
