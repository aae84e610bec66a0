//! Push: envelope, ack codes, order, dead letters, changing the endpoint.

use google_cloud_googleapis::pubsub::v1 as pb;

use crate::harness::{DEAD, Endpoint, SUBSCRIPTION, World, with_attributes};

#[tokio::test]
async fn a_push_is_a_full_envelope_over_http_1_1() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    world.subscription(|s| s.push_config = Some(endpoint.config())).await;
    let ids = world.publish(vec![with_attributes("hello", &[("ce-id", "1")])]).await.unwrap();

    let push = endpoint.next().await;

    assert_eq!(push.version, http::Version::HTTP_11);
    assert_eq!(push.headers["content-type"], "application/json");
    assert_eq!(push.text(), "hello");
    let message = &push.body["message"];
    assert_eq!(message["messageId"], ids[0].as_str());
    assert_eq!(message["message_id"], message["messageId"]);
    assert_eq!(message["publish_time"], message["publishTime"]);
    assert_eq!(message["attributes"]["ce-id"], "1");
    assert_eq!(push.body["subscription"], SUBSCRIPTION);
    assert!(push.body.get("deliveryAttempt").is_none());
    push.answer(204);
    world.stats_when(SUBSCRIPTION, |s| s.backlog == 0 && s.acked == 1).await;
}

#[tokio::test]
async fn only_four_codes_are_acks() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    world.subscription(|s| s.push_config = Some(endpoint.config())).await;
    for code in [200, 201, 202, 204] {
        world.say(&[&code.to_string()]).await;
        endpoint.next_answered(code).await;
    }
    world.stats_when(SUBSCRIPTION, |s| s.acked == 4 && s.nacked == 0).await;
    for code in [203, 206, 301, 400, 404, 500, 503] {
        world.say(&[&code.to_string()]).await;
        assert_eq!(endpoint.next_answered(code).await, code.to_string());
        assert_eq!(endpoint.next_answered(204).await, code.to_string(), "{code} is no ack");
    }
    world.stats_when(SUBSCRIPTION, |s| s.acked == 11 && s.nacked == 7 && s.backlog == 0).await;
}

#[tokio::test]
async fn many_are_in_flight_at_once_without_order_and_one_per_key_with_it() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    world
        .subscription(|s| {
            s.push_config = Some(endpoint.config());
            s.enable_message_ordering = true;
        })
        .await;
    world.say_in_order("x", &["x1", "x2"]).await;
    world.say_in_order("y", &["y1", "y2"]).await;
    world.say(&["a", "b", "c"]).await;
    let mut out = Vec::new();
    for _ in 0..5 {
        out.push(endpoint.next().await);
    }
    let mut texts: Vec<_> = out.iter().map(crate::harness::Push::text).collect();
    texts.sort();
    assert_eq!(texts, ["a", "b", "c", "x1", "y1"]);
    assert!(endpoint.is_quiet());
    for push in out {
        push.answer(204);
    }
    let mut rest = [endpoint.next_answered(204).await, endpoint.next_answered(204).await];
    rest.sort();
    assert_eq!(rest, ["x2", "y2"]);
}

#[tokio::test]
async fn a_nack_holds_back_its_key_and_no_other() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    world
        .subscription(|s| {
            s.push_config = Some(endpoint.config());
            s.enable_message_ordering = true;
        })
        .await;
    world.say_in_order("x", &["x1", "x2", "x3"]).await;
    assert_eq!(endpoint.next_answered(500).await, "x1");
    world.say_in_order("y", &["y1"]).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(endpoint.next_answered(204).await);
    }
    assert!(seen.contains(&"y1".to_owned()));
    seen.retain(|text| text.starts_with('x'));
    assert_eq!(seen, ["x1", "x2", "x3"]);
}

#[tokio::test]
async fn a_poison_message_becomes_a_dead_letter_and_its_key_goes_on() {
    let mut world = World::with_topic().await;
    world.topic(DEAD).await;
    let mut endpoint = Endpoint::new().await;
    world
        .subscription(|s| {
            s.push_config = Some(endpoint.config());
            s.enable_message_ordering = true;
            s.dead_letter_policy =
                Some(pb::DeadLetterPolicy { dead_letter_topic: DEAD.to_owned(), max_delivery_attempts: 5 });
        })
        .await;
    let dead = "projects/p/subscriptions/oms.dead-letters";
    world.subscription(|s| (s.name, s.topic) = (dead.to_owned(), DEAD.to_owned())).await;
    world.say_in_order("k", &["poison", "good"]).await;
    for attempt in 1..=5 {
        let push = endpoint.next().await;
        assert_eq!((push.text().as_str(), push.body["deliveryAttempt"].as_i64()), ("poison", Some(attempt)));
        push.answer(500);
    }
    assert_eq!(endpoint.next_answered(204).await, "good");
    let letters = world.pull_from(dead, false).await;
    let letter = letters[0].message.as_ref().unwrap();
    assert_eq!((&letter.data[..], letter.ordering_key.as_str()), (&b"poison"[..], "k"));
    let figures = world.stats_when(SUBSCRIPTION, |s| s.backlog == 0).await;
    assert_eq!((figures.dead_lettered, figures.acked, figures.nacked), (1, 1, 5));
}

#[tokio::test]
async fn a_dead_letter_whose_topic_is_gone_is_not_lost() {
    let mut world = World::with_topic().await;
    world.topic(DEAD).await;
    let mut endpoint = Endpoint::new().await;
    world
        .subscription(|s| {
            s.push_config = Some(endpoint.config());
            s.dead_letter_policy =
                Some(pb::DeadLetterPolicy { dead_letter_topic: DEAD.to_owned(), max_delivery_attempts: 5 });
        })
        .await;
    world.publisher.delete_topic(pb::DeleteTopicRequest { topic: DEAD.to_owned() }).await.unwrap();
    world.say(&["poison"]).await;
    for _ in 0..5 {
        endpoint.next_answered(500).await;
    }
    let sixth = endpoint.next().await;
    assert_eq!(sixth.body["deliveryAttempt"], 6);
    sixth.answer(204);
    world.stats_when(SUBSCRIPTION, |s| s.backlog == 0 && s.dead_lettered == 0 && s.acked == 1).await;
}

#[tokio::test]
async fn an_endpoint_that_drops_the_connection_gets_the_message_again() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    // Nobody listens here.
    let nowhere = pb::PushConfig { push_endpoint: "http://127.0.0.1:1/".to_owned(), ..Default::default() };
    world.subscription(|s| s.push_config = Some(nowhere)).await;
    world.say(&["a"]).await;
    world.stats_when(SUBSCRIPTION, |s| s.nacked >= 1).await;
    let request =
        pb::ModifyPushConfigRequest { subscription: SUBSCRIPTION.to_owned(), push_config: Some(endpoint.config()) };
    world.subscriber.modify_push_config(request).await.unwrap();
    assert_eq!(endpoint.next_answered(204).await, "a");
}

#[tokio::test]
async fn a_push_subscription_turned_into_pull_gives_what_was_in_flight() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    world.subscription(|s| s.push_config = Some(endpoint.config())).await;
    world.say(&["a"]).await;
    let _held = endpoint.next().await;
    let request = pb::ModifyPushConfigRequest { subscription: SUBSCRIPTION.to_owned(), push_config: None };
    world.subscriber.modify_push_config(request).await.unwrap();
    assert_eq!(world.texts().await, ["a"]);
    world.crash().await;
    assert_eq!(world.texts().await, ["a"], "it stays a pull subscription");
}

#[tokio::test]
async fn shutdown_waits_for_pushes_in_flight_and_keeps_their_acks() {
    let mut world = World::with_topic().await;
    let mut endpoint = Endpoint::new().await;
    world.subscription(|s| s.push_config = Some(endpoint.config())).await;
    world.say(&["a"]).await;
    let push = endpoint.next().await;
    let broker = world.broker.take().unwrap();
    let address = broker.address();
    let stopping = tokio::spawn(broker.shutdown());
    while tokio::net::TcpStream::connect(address).await.is_ok() {}
    for _ in 0..20_000 {
        tokio::task::yield_now().await;
        assert!(!stopping.is_finished(), "it did not wait");
    }

    push.answer(204);

    crate::harness::soon(stopping).await.unwrap();
    world.start().await;
    assert_eq!(world.broker.as_ref().unwrap().stats().subscriptions[0].backlog, 0);
}
