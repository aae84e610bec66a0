//! Lists, page by page.

use testkit::pubsub::{Code, Page};

use crate::run::claims;
use crate::world::{World, refused};

claims! { "lists":
    topics_come_in_pages_without_gap_or_repeat,
    subscriptions_come_in_pages_without_gap_or_repeat,
    a_topic_lists_its_own_subscriptions_only,
    a_project_lists_its_own_only,
    a_negative_page_size_is_refused,
}

/// Collects pages of two, which are `more` by their token.
macro_rules! pages {
    ($list:expr) => {{
        let (mut names, mut token) = (Vec::new(), String::new());
        loop {
            let page: Page = $list(&token).await.unwrap();
            assert!(page.names.len() <= 2, "{:?}", page.names);
            names.extend(page.names);
            if page.next.is_empty() {
                break;
            }
            token = page.next;
        }
        names.sort();
        names
    }};
}

async fn topics_come_in_pages_without_gap_or_repeat(world: World) {
    let mut made = Vec::new();
    for id in ["aaa", "bbb", "ccc", "ddd", "eee"] {
        made.push(world.topic(id).await);
    }
    let listed = pages!(async |token: &str| world.engine.list_topics(&world.project, 2, token).await);
    assert_eq!(listed, made);
}

async fn subscriptions_come_in_pages_without_gap_or_repeat(world: World) {
    let topic = world.topic("orders").await;
    let mut made = Vec::new();
    for id in ["aaa", "bbb", "ccc", "ddd", "eee"] {
        made.push(world.subscription(id, &topic, |_| {}).await);
    }
    let listed = pages!(async |token: &str| world.engine.list_subscriptions(&world.project, 2, token).await);
    assert_eq!(listed, made);
    let listed = pages!(async |token: &str| world.engine.list_topic_subscriptions(&topic, 2, token).await);
    assert_eq!(listed, made);
}

async fn a_topic_lists_its_own_subscriptions_only(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    let other = world.topic("other").await;
    world.subscription("of-other", &other, |_| {}).await;
    assert_eq!(
        world.engine.list_topic_subscriptions(&topic, 0, "").await.unwrap().names,
        std::slice::from_ref(&subscription)
    );
    world.engine.delete_subscription(&subscription).await.unwrap();
    assert_eq!(world.engine.list_topic_subscriptions(&topic, 0, "").await.unwrap(), Page::default());
}

async fn a_project_lists_its_own_only(world: World) {
    let (topic, subscription) = world.pair(|_| {}).await;
    // Its name begins with ours.
    let other = format!("{}0000", world.project);
    world.engine.create_topic(&format!("{other}/topics/orders")).await.unwrap();
    assert_eq!(world.engine.list_topics(&world.project, 0, "").await.unwrap().names, [topic]);
    assert_eq!(world.engine.list_subscriptions(&world.project, 0, "").await.unwrap().names, [subscription]);
}

async fn a_negative_page_size_is_refused(world: World) {
    let (topic, _) = world.pair(|_| {}).await;
    let engine = &world.engine;
    assert_eq!(refused(engine.list_topics(&world.project, -1, "").await), Code::InvalidArgument);
    assert_eq!(refused(engine.list_subscriptions(&world.project, -1, "").await), Code::InvalidArgument);
    assert_eq!(refused(engine.list_topic_subscriptions(&topic, -1, "").await), Code::InvalidArgument);
}
