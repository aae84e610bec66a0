//! Ack, nack, and the deadline between them.

use testkit::pubsub::Code;

use crate::run::claims;
use crate::world::{World, refused, sorted, texts};

claims! { "delivery":
    an_ack_removes_a_message,
    an_ack_removes_only_what_it_names,
    a_second_ack_is_harmless,
    a_nack_brings_a_message_again,
    a_message_with_one_subscriber_is_given_to_no_other,
    an_unacked_message_comes_again_after_its_deadline,
    a_deadline_moved_close_ends_the_lease_early,
    a_deadline_moved_away_holds_the_message,
    an_ack_in_a_moved_deadline_counts,
    max_messages_bounds_a_pull,
    every_delivery_has_an_ack_id_of_its_own,
    a_deadline_out_of_bounds_is_refused,
}

async fn an_ack_removes_a_message(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["acked", "control"]).await;
    let received = world.gather(&subscription, 2).await;
    let (acked, control): (Vec<_>, Vec<_>) = received.into_iter().partition(|one| one.text() == "acked");
    // Both leases would end together: what is acked does not come when the other does.
    world.deadline(&subscription, &acked, 1).await;
    world.deadline(&subscription, &control, 1).await;
    world.ack(&subscription, &acked).await;
    assert_eq!(texts(&world.gather(&subscription, 1).await), ["control"]);
}

async fn an_ack_removes_only_what_it_names(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.ack_deadline_s = 600).await;
    world.say(&topic, &["a", "b", "c"]).await;
    let received = world.gather(&subscription, 3).await;
    let (acked, rest): (Vec<_>, Vec<_>) = received.into_iter().partition(|one| one.text() == "b");
    world.ack(&subscription, &acked).await;
    world.nack(&subscription, &rest).await;
    assert_eq!(sorted(&world.gather(&subscription, 2).await), ["a", "c"]);
}

async fn a_second_ack_is_harmless(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["a"]).await;
    let received = world.gather(&subscription, 1).await;
    world.ack(&subscription, &received).await;
    world.ack(&subscription, &received).await;
    world.nack(&subscription, &received).await;
    world.assert_empty(&topic, &subscription).await;
}

async fn a_nack_brings_a_message_again(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.ack_deadline_s = 600).await;
    let ids = world.say(&topic, &["a"]).await;
    for _ in 0..3 {
        let received = world.next(&subscription).await;
        assert_eq!((received.text().as_str(), &received.id), ("a", &ids[0]));
        world.nack(&subscription, &[received]).await;
    }
}

async fn a_message_with_one_subscriber_is_given_to_no_other(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.ack_deadline_s = 60).await;
    world.say(&topic, &["a"]).await;
    world.next(&subscription).await;
    world.assert_empty(&topic, &subscription).await;
}

async fn an_unacked_message_comes_again_after_its_deadline(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.ack_deadline_s = 10).await;
    world.say(&topic, &["a"]).await;
    let asked_ms = world.engine.elapsed_ms();
    let first = world.next(&subscription).await;
    let second = world.next(&subscription).await;
    let waited_ms = world.engine.elapsed_ms() - asked_ms;
    assert_eq!((second.text().as_str(), &second.id), ("a", &first.id));
    assert!((9_900..25_000).contains(&waited_ms), "{waited_ms}");
}

async fn a_deadline_moved_close_ends_the_lease_early(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.ack_deadline_s = 600).await;
    world.say(&topic, &["a"]).await;
    let first = world.next(&subscription).await;
    world.deadline(&subscription, &[first], 1).await;
    assert_eq!(world.next(&subscription).await.text(), "a");
}

async fn a_deadline_moved_away_holds_the_message(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["held", "control"]).await;
    let received = world.gather(&subscription, 2).await;
    let (held, control): (Vec<_>, Vec<_>) = received.into_iter().partition(|one| one.text() == "held");
    world.deadline(&subscription, &held, 1).await;
    world.deadline(&subscription, &held, 60).await;
    world.deadline(&subscription, &control, 2).await;
    assert_eq!(texts(&world.gather(&subscription, 1).await), ["control"]);
    // Two seconds after its first deadline it still counts as given out.
    world.ack(&subscription, &held).await;
}

async fn an_ack_in_a_moved_deadline_counts(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["a"]).await;
    let received = world.gather(&subscription, 1).await;
    world.deadline(&subscription, &received, 30).await;
    world.ack(&subscription, &received).await;
    world.nack(&subscription, &received).await;
    world.assert_empty(&topic, &subscription).await;
}

async fn max_messages_bounds_a_pull(world: World) {
    let (topic, subscription) = world.pair(|spec| spec.ack_deadline_s = 60).await;
    world.say(&topic, &["a", "b", "c"]).await;
    let mut all = Vec::new();
    while all.len() < 3 {
        let received = world.engine.pull(&subscription, 1).await.unwrap();
        assert!(received.len() <= 1, "{received:?}");
        all.extend(received);
        world.engine.tick().await;
    }
    assert_eq!(sorted(&all), ["a", "b", "c"]);
    for none in [0, -1] {
        assert_eq!(refused(world.engine.pull(&subscription, none).await), Code::InvalidArgument);
    }
}

async fn every_delivery_has_an_ack_id_of_its_own(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["a"]).await;
    let first = world.next(&subscription).await;
    world.nack(&subscription, std::slice::from_ref(&first)).await;
    let second = world.next(&subscription).await;
    assert_ne!(first.ack_id, second.ack_id);
    // The first delivery is over: a nack of it changes nothing.
    world.nack(&subscription, &[first]).await;
    world.assert_empty(&topic, &subscription).await;
}

async fn a_deadline_out_of_bounds_is_refused(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["a"]).await;
    let received = world.next(&subscription).await;
    for seconds in [-1, 601] {
        let answer = world.engine.modify_ack_deadline(&subscription, vec![received.ack_id.clone()], seconds).await;
        assert_eq!(refused(answer), Code::InvalidArgument, "{seconds}");
    }
}
