//! Topics and subscriptions: made, shown, deleted.

use testkit::pubsub::{Backoff, Code, SubscriptionSpec};

use crate::run::claims;
use crate::world::{World, draft, refused, texts};

claims! { "admin":
    a_topic_is_there_once_made_and_gone_once_deleted,
    a_taken_name_is_already_exists,
    what_is_not_there_is_not_found,
    a_name_that_breaks_the_rules_is_refused,
    a_subscription_is_shown_as_it_was_made,
    defaults_are_filled_in,
    a_dead_letter_topic_must_exist,
    a_deleted_topic_takes_nothing_and_its_subscription_keeps_what_it_has,
    a_topic_made_anew_does_not_get_its_old_subscriptions_back,
    a_deleted_subscription_is_gone_with_its_backlog,
}

async fn a_topic_is_there_once_made_and_gone_once_deleted(world: World) {
    let topic = world.topic("orders").await;
    world.say(&topic, &["a"]).await;
    assert_eq!(world.engine.list_topics(&world.project, 0, "").await.unwrap().names, std::slice::from_ref(&topic));
    world.engine.delete_topic(&topic).await.unwrap();
    assert_eq!(world.engine.list_topics(&world.project, 0, "").await.unwrap().names, [""; 0]);
    assert_eq!(refused(world.engine.publish(&topic, vec![draft("b")]).await), Code::NotFound);
    assert_eq!(refused(world.engine.delete_topic(&topic).await), Code::NotFound);
}

async fn a_taken_name_is_already_exists(world: World) {
    let (topic, _) = world.pair(|_| {}).await;
    assert_eq!(refused(world.engine.create_topic(&topic).await), Code::AlreadyExists);
    let again = world.spec("oms", &topic);
    assert_eq!(refused(world.engine.create_subscription(&again).await), Code::AlreadyExists);
}

async fn what_is_not_there_is_not_found(world: World) {
    let nowhere = world.topic_name("nowhere");
    let orphan = world.spec("orphan", &nowhere);
    let engine = &world.engine;
    assert_eq!(refused(engine.publish(&nowhere, vec![draft("a")]).await), Code::NotFound);
    assert_eq!(refused(engine.delete_topic(&nowhere).await), Code::NotFound);
    assert_eq!(refused(engine.list_topic_subscriptions(&nowhere, 0, "").await), Code::NotFound);
    assert_eq!(refused(engine.create_subscription(&orphan).await), Code::NotFound);
    assert_eq!(refused(engine.get_subscription(&orphan.name).await), Code::NotFound);
    assert_eq!(refused(engine.delete_subscription(&orphan.name).await), Code::NotFound);
    assert_eq!(refused(engine.pull(&orphan.name, 1).await), Code::NotFound);
    assert_eq!(refused(engine.acknowledge(&orphan.name, vec!["1-1-1".to_owned()]).await), Code::NotFound);
    assert_eq!(refused(engine.modify_push_config(&orphan.name, "").await), Code::NotFound);
}

async fn a_name_that_breaks_the_rules_is_refused(world: World) {
    let topic = world.topic("orders").await;
    let long = "a".repeat(256);
    for id in ["ab", "1st", "goog-topic", "with space", "with/slash", "-dash", "", &long] {
        let name = world.topic_name(id);
        assert_eq!(refused(world.engine.create_topic(&name).await), Code::InvalidArgument, "{id}");
        let spec = world.spec(id, &topic);
        assert_eq!(refused(world.engine.create_subscription(&spec).await), Code::InvalidArgument, "{id}");
    }
    assert_eq!(refused(world.engine.create_topic("orders").await), Code::InvalidArgument);
    for id in ["abc", "A-_.~+%z", &long[..255]] {
        world.topic(id).await;
    }
}

async fn a_subscription_is_shown_as_it_was_made(world: World) {
    let (policy, _) = world.dead_letters().await;
    let topic = world.topic("orders").await;
    let made = SubscriptionSpec {
        push_endpoint: "http://127.0.0.1:9/push".to_owned(),
        ack_deadline_s: 33,
        ordered: true,
        filter: r#"attributes.a = "1""#.to_owned(),
        retry: Some(Backoff { min_ms: 1_500, max_ms: 90_000 }),
        dead_letter: Some(policy),
        retention_s: 86_400,
        labels: [("team".to_owned(), "orders".to_owned())].into(),
        ..world.spec("oms", &topic)
    };
    assert_eq!(world.engine.create_subscription(&made).await.unwrap(), made);
    assert_eq!(world.engine.get_subscription(&made.name).await.unwrap(), made);
}

async fn defaults_are_filled_in(world: World) {
    let (_, subscription) = world.pair(|_| {}).await;
    let shown = world.engine.get_subscription(&subscription).await.unwrap();
    assert_eq!((shown.ack_deadline_s, shown.retention_s), (10, 7 * 86_400));
    assert_eq!((shown.ordered, shown.retain_acked, shown.detached), (false, false, false));
    assert_eq!((shown.retry, shown.dead_letter, shown.push_endpoint.as_str()), (None, None, ""));
}

async fn a_dead_letter_topic_must_exist(world: World) {
    let (mut policy, _) = world.dead_letters().await;
    let topic = world.topic("orders").await;
    policy.topic = world.topic_name("nowhere");
    let spec = SubscriptionSpec { dead_letter: Some(policy), ..world.spec("oms", &topic) };
    assert_eq!(refused(world.engine.create_subscription(&spec).await), Code::NotFound);
}

async fn a_deleted_topic_takes_nothing_and_its_subscription_keeps_what_it_has(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["a"]).await;
    world.engine.delete_topic(&topic).await.unwrap();
    assert_eq!(refused(world.engine.publish(&topic, vec![draft("b")]).await), Code::NotFound);
    assert_eq!(world.engine.get_subscription(&subscription).await.unwrap().topic, "_deleted-topic_");
    assert_eq!(texts(&world.gather(&subscription, 1).await), ["a"]);
}

async fn a_topic_made_anew_does_not_get_its_old_subscriptions_back(world: World) {
    let (topic, old) = world.pair(|_| {}).await;
    world.engine.delete_topic(&topic).await.unwrap();
    world.topic("orders").await;
    let new = world.subscription("new", &topic, |_| {}).await;
    world.say(&topic, &["a"]).await;
    assert_eq!(texts(&world.gather(&new, 1).await), ["a"]);
    assert_eq!(texts(&world.pull(&old).await), [""; 0]);
    assert_eq!(world.engine.list_topic_subscriptions(&topic, 0, "").await.unwrap().names, [new]);
}

async fn a_deleted_subscription_is_gone_with_its_backlog(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["a"]).await;
    world.engine.delete_subscription(&subscription).await.unwrap();
    assert_eq!(refused(world.engine.pull(&subscription, 1).await), Code::NotFound);
    assert_eq!(refused(world.engine.delete_subscription(&subscription).await), Code::NotFound);
    world.subscription("oms", &topic, |_| {}).await;
    world.assert_empty(&topic, &subscription).await;
}
