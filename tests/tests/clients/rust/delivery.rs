//! What becomes of messages.

use std::collections::{BTreeMap, HashMap};

use google_cloud_pubsub::model::DeadLetterPolicy;
use google_cloud_pubsub::subscriber::handler::Handler;

use super::{Exercise, PROJECT, close, expect_quiet, following, message, text};

pub(super) async fn publish_and_receive(on: &Exercise) {
    let topic = on.topic("publish").await;
    let subscription = on.subscription("publish", &topic, |new| new).await;
    let publisher = on.publisher(&topic).await;
    let attributes: HashMap<String, String> = [("origin", "web"), ("empty", "")].map(owned).into();
    let mut sent = Vec::new();
    for at in 0..50 {
        sent.push(publisher.publish(message(&at.to_string()).set_attributes(attributes.clone())));
    }
    publisher.flush().await;
    let ids = futures::future::try_join_all(sent).await.unwrap();
    let mut heard = BTreeMap::new();
    let mut stream = on.stream(&subscription);
    for _ in &ids {
        let (message, handler) = following(&mut stream).await;
        assert_eq!(message.attributes, attributes);
        assert_eq!(handler.delivery_attempt(), None);
        heard.insert(message.message_id.clone(), text(&message));
        handler.ack();
    }
    expect_quiet(&mut stream).await;
    close(stream).await;
    assert_eq!(heard, ids.into_iter().enumerate().map(|(at, id)| (id, at.to_string())).collect());
}

pub(super) async fn order(on: &Exercise) {
    let topic = on.topic("order").await;
    let subscription = on.subscription("order", &topic, |new| new.set_enable_message_ordering(true)).await;
    let publisher = on.publisher(&topic).await;
    let mut sent = Vec::new();
    for at in 0..40 {
        for key in ["milk", "bread", "honey"] {
            sent.push(publisher.publish(message(&at.to_string()).set_ordering_key(key)));
        }
    }
    let count = futures::future::try_join_all(sent).await.unwrap().len();
    let mut heard: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut stream = on.stream(&subscription);
    for _ in 0..count {
        let (message, handler) = following(&mut stream).await;
        handler.ack();
        heard.entry(message.ordering_key.clone()).or_default().push(text(&message));
    }
    close(stream).await;
    let numbers: Vec<String> = (0..40).map(|at| at.to_string()).collect();
    assert_eq!(heard, ["milk", "bread", "honey"].map(|key| (key.to_owned(), numbers.clone())).into());
}

pub(super) async fn nack(on: &Exercise) {
    let topic = on.topic("nack").await;
    let subscription = on.subscription("nack", &topic, |new| new).await;
    on.publish(&topic, &["again"]).await.unwrap();
    let mut stream = on.stream(&subscription);
    let (first, handler) = following(&mut stream).await;
    handler.nack();
    let (second, handler) = following(&mut stream).await;
    assert_eq!(second.message_id, first.message_id);
    handler.ack();
    expect_quiet(&mut stream).await;
    close(stream).await;
}

pub(super) async fn dead_letter(on: &Exercise) {
    let dead = on.topic("dead").await;
    let burial = on.subscription("dead", &dead, |new| new).await;
    let policy = DeadLetterPolicy::new().set_dead_letter_topic(dead).set_max_delivery_attempts(5);
    let topic = on.topic("living").await;
    let subscription = on.subscription("living", &topic, |new| new.set_dead_letter_policy(policy)).await;
    let publisher = on.publisher(&topic).await;
    publisher.publish(message("broken").set_attributes([("origin", "web")])).await.unwrap();

    let mut stream = on.stream(&subscription);
    for attempt in 1..=5 {
        let (_, handler) = following(&mut stream).await;
        assert_eq!(handler.delivery_attempt(), Some(attempt));
        handler.nack();
    }
    let mut buried = on.stream(&burial);
    let (letter, handler) = following(&mut buried).await;
    handler.ack();
    expect_quiet(&mut stream).await;
    close(stream).await;
    close(buried).await;

    assert_eq!((text(&letter).as_str(), letter.attributes["origin"].as_str()), ("broken", "web"));
    let source = |key: &str| letter.attributes[&format!("CloudPubSubDeadLetterSource{key}")].as_str();
    assert_eq!(source("DeliveryCount"), "5");
    assert!(subscription.ends_with(&format!("/{}", source("Subscription"))));
    assert_eq!(source("SubscriptionProject"), PROJECT);
    assert!(source("TopicPublishTime").contains('T'));
}

pub(super) async fn exactly_once(on: &Exercise) {
    let topic = on.topic("once").await;
    let subscription = on.subscription("once", &topic, |new| new.set_enable_exactly_once_delivery(true)).await;
    on.publish(&topic, &["once"]).await.unwrap();
    let mut stream = on.stream(&subscription);
    let (first, handler) = following(&mut stream).await;
    let Handler::ExactlyOnce(handler) = handler else { panic!("the stream says nothing of exactly once") };
    handler.confirmed_nack().await.unwrap();
    let (second, handler) = following(&mut stream).await;
    assert_eq!(second.message_id, first.message_id);
    let Handler::ExactlyOnce(handler) = handler else { panic!("the stream says nothing of exactly once") };
    handler.confirmed_ack().await.unwrap();
    expect_quiet(&mut stream).await;
    close(stream).await;
}

fn owned((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), value.to_owned())
}
