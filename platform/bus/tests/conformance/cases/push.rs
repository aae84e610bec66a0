//! Push.

use testkit::pubsub::{Code, Draft, SubscriptionSpec};

use crate::run::claims;
use crate::world::{World, refused, with_attributes};

claims! { "push":
    a_push_is_an_envelope,
    an_empty_message_part_is_left_out_or_empty,
    the_attempt_is_there_with_a_dead_letter_policy_only,
    four_codes_are_acks,
    processing_is_an_ack,
    no_other_code_is_an_ack,
    an_endpoint_that_does_not_answer_gets_the_message_again_after_the_deadline,
    a_backlog_is_pushed_once_there_is_an_endpoint,
    a_push_subscription_can_be_turned_into_pull,
    pushes_follow_a_changed_endpoint,
    a_bad_endpoint_is_refused,
}

async fn a_push_is_an_envelope(world: World) {
    let (endpoint, inbox) = world.endpoint(|_, _| 204).await;
    let (topic, subscription) = world.pair(|spec| spec.push_endpoint = endpoint).await;
    let sent = Draft { ordering_key: "k".to_owned(), ..with_attributes("hello", &[("ce-id", "1 \"quoted\"")]) };
    let ids = world.engine.publish(&topic, vec![sent]).await.unwrap();
    let arrival = &world.arrivals(&inbox, 1).await[0];
    let message = &arrival.body["message"];
    assert_eq!(arrival.body["subscription"], subscription.as_str());
    assert_eq!(arrival.text(), "hello");
    assert_eq!(message["attributes"], serde_json::json!({ "ce-id": "1 \"quoted\"" }));
    assert_eq!(message["orderingKey"], "k");
    assert_eq!([&message["messageId"], &message["message_id"]], [ids[0].as_str(); 2]);
    let time = message["publishTime"].as_str().unwrap();
    assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
    assert_eq!(message["publish_time"], time);
}

async fn an_empty_message_part_is_left_out_or_empty(world: World) {
    let (endpoint, inbox) = world.endpoint(|_, _| 204).await;
    let (topic, _) = world.pair(|spec| spec.push_endpoint = endpoint).await;
    world.engine.publish(&topic, vec![with_attributes("", &[("a", "1")])]).await.unwrap();
    let arrival = &world.arrivals(&inbox, 1).await[0];
    assert_eq!(arrival.body["message"]["data"].as_str().unwrap_or_default(), "");
    assert_eq!(arrival.body["message"]["orderingKey"].as_str().unwrap_or_default(), "");
}

async fn the_attempt_is_there_with_a_dead_letter_policy_only(world: World) {
    let (policy, _) = world.dead_letters().await;
    let (counted, with) = world.endpoint(|_, nth| if nth < 3 { 500 } else { 204 }).await;
    let (uncounted, without) = world.endpoint(|_, nth| if nth < 2 { 500 } else { 204 }).await;
    let (topic, _) = world.pair(|spec| (spec.push_endpoint, spec.dead_letter) = (counted, Some(policy))).await;
    world.subscription("crm", &topic, |spec| spec.push_endpoint = uncounted).await;
    world.say(&topic, &["a"]).await;
    let attempts: Vec<_> =
        world.arrivals(&with, 3).await.iter().map(|one| one.body["deliveryAttempt"].as_i64()).collect();
    assert_eq!(attempts, [Some(1), Some(2), Some(3)]);
    let arrivals = world.arrivals(&without, 2).await;
    assert!(arrivals.iter().all(|one| one.body.get("deliveryAttempt").is_none()), "{arrivals:?}");
}

/// What arrived when each text is answered with its own code first, and with 204 when it comes again; a control that
/// fails three times has the time for others to come again.
async fn answered_with(world: &World, codes: &[u16]) -> Vec<String> {
    let (endpoint, inbox) = world
        .endpoint(|text, nth| match (text.parse(), nth) {
            (Ok(code), 1) => code,
            (Err(_), 1..=3) => 503,
            _ => 204,
        })
        .await;
    let (topic, _) = world.pair(|spec| spec.push_endpoint = endpoint).await;
    for code in codes {
        world.say(&topic, &[&code.to_string()]).await;
    }
    world.say(&topic, &["control"]).await;
    let seen_often = |text: &str, times| inbox.texts().iter().filter(|seen| *seen == text).count() >= times;
    while !seen_often("control", 4) || !codes.iter().all(|code| seen_often(&code.to_string(), 1)) {
        let count = inbox.arrivals().len();
        world.arrivals(&inbox, count + 1).await;
    }
    inbox.texts()
}

async fn four_codes_are_acks(world: World) {
    let mut arrived = answered_with(&world, &[200, 201, 202, 204]).await;
    arrived.retain(|text| text != "control");
    arrived.sort();
    assert_eq!(arrived, ["200", "201", "202", "204"]);
}

async fn processing_is_an_ack(world: World) {
    let (endpoint, inbox) = world
        .endpoint(|text, nth| {
            if text == "102" {
                102
            } else if nth == 1 {
                0
            } else {
                204
            }
        })
        .await;
    let (topic, _) = world.pair(|spec| spec.push_endpoint = endpoint).await;
    world.say(&topic, &["102"]).await;
    world.arrival_of(&inbox, "102").await;
    world.say(&topic, &["control"]).await;
    // The control is not answered. When it comes again after its deadline, the other would have come, too.
    world.arrivals(&inbox, 3).await;
    assert_eq!(inbox.texts(), ["102", "control", "control"]);
}

async fn no_other_code_is_an_ack(world: World) {
    let codes = [203, 205, 206, 301, 400, 404, 409, 429, 500, 503];
    let (endpoint, inbox) = world.endpoint(|text, nth| if nth == 1 { text.parse().unwrap() } else { 204 }).await;
    let (topic, _) = world.pair(|spec| spec.push_endpoint = endpoint).await;
    for code in codes {
        world.say(&topic, &[&code.to_string()]).await;
    }
    world.arrivals(&inbox, 2 * codes.len()).await;
    let texts = inbox.texts();
    for code in codes.map(|code| code.to_string()) {
        assert_eq!(texts.iter().filter(|text| **text == code).count(), 2, "{code}");
    }
}

async fn an_endpoint_that_does_not_answer_gets_the_message_again_after_the_deadline(world: World) {
    let (endpoint, inbox) = world.endpoint(|_, nth| if nth == 1 { 0 } else { 204 }).await;
    let (topic, _) = world.pair(|spec| (spec.push_endpoint, spec.ack_deadline_s) = (endpoint, 10)).await;
    world.say(&topic, &["a"]).await;
    let arrivals = world.arrivals(&inbox, 2).await;
    let waited_ms = arrivals[1].at_ms - arrivals[0].at_ms;
    // The deadline runs from the request's start, which may be a moment before its arrival.
    assert!((9_500..25_000).contains(&waited_ms), "{waited_ms}");
}

async fn a_backlog_is_pushed_once_there_is_an_endpoint(world: World) {
    let (endpoint, inbox) = world.endpoint(|_, _| 204).await;
    let (topic, subscription) = world.pair(|_| {}).await;
    world.say(&topic, &["a", "b"]).await;
    world.engine.modify_push_config(&subscription, &endpoint).await.unwrap();
    world.say(&topic, &["c"]).await;
    world.arrivals(&inbox, 3).await;
    let mut texts = inbox.texts();
    texts.sort();
    assert_eq!(texts, ["a", "b", "c"]);
    assert_eq!(world.engine.get_subscription(&subscription).await.unwrap().push_endpoint, endpoint);
}

async fn a_push_subscription_can_be_turned_into_pull(world: World) {
    let (endpoint, inbox) = world.endpoint(|_, _| 500).await;
    let (topic, subscription) = world.pair(|spec| spec.push_endpoint = endpoint).await;
    world.say(&topic, &["a"]).await;
    world.arrivals(&inbox, 1).await;
    world.engine.modify_push_config(&subscription, "").await.unwrap();
    assert_eq!(world.next(&subscription).await.text(), "a");
    assert_eq!(world.engine.get_subscription(&subscription).await.unwrap().push_endpoint, "");
}

async fn pushes_follow_a_changed_endpoint(world: World) {
    let (old, _) = world.endpoint(|_, _| 500).await;
    let (new, inbox) = world.endpoint(|_, _| 204).await;
    let (topic, subscription) = world.pair(|spec| spec.push_endpoint = old).await;
    world.say(&topic, &["a"]).await;
    world.engine.modify_push_config(&subscription, &new).await.unwrap();
    assert_eq!(world.arrival_of(&inbox, "a").await, ["a"]);
}

async fn a_bad_endpoint_is_refused(world: World) {
    let topic = world.topic("orders").await;
    for endpoint in ["not a url", "ftp://example.com/push", "http://", "/push"] {
        let spec = SubscriptionSpec { push_endpoint: endpoint.to_owned(), ..world.spec("oms", &topic) };
        let answer = world.engine.create_subscription(&spec).await;
        assert_eq!(refused(answer), Code::InvalidArgument, "{endpoint}");
    }
}
