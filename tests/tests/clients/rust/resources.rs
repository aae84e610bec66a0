//! Topics, subscriptions and schemas, from their making to their end.

use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::paginator::{ItemPaginator, Paginator};
use google_cloud_pubsub::builder::subscription_admin::CreateSubscription;
use google_cloud_pubsub::model::{Encoding, Schema, SchemaSettings, Subscription, Topic, schema};
use google_cloud_wkt::FieldMask;

use super::{Exercise, PROJECT, close, expect_quiet, expect_refused, expect_unpublished, following, text};

const ORDER: &str = r#"{"type":"record","name":"Order","fields":[{"name":"units","type":"int"}]}"#;

pub(super) async fn create(on: &Exercise) {
    let topic = on.topic("create").await;
    assert_eq!(on.topics.get_topic().set_topic(&topic).send().await.unwrap().name, topic);
    expect_refused(on.topics.create_topic().set_name(&topic).send().await, Code::AlreadyExists);
    let with = |new: CreateSubscription| new.set_ack_deadline_seconds(30).set_labels([("team", "orders")]);
    let name = on.subscription("create", &topic, with).await;
    let stored = on.subscriptions.get_subscription().set_subscription(&name).send().await.unwrap();
    assert_eq!((stored.topic, stored.ack_deadline_seconds), (topic.clone(), 30));
    assert_eq!(stored.labels["team"], "orders");
    let again = on.subscriptions.create_subscription().set_name(&name).set_topic(&topic);
    expect_refused(again.send().await, Code::AlreadyExists);
    let other = on.subscriptions.create_subscription().set_name(format!("{name}-other"));
    expect_refused(other.set_topic(format!("{topic}-other")).send().await, Code::NotFound);
}

pub(super) async fn schema(on: &Exercise) {
    let project = format!("projects/{PROJECT}");
    let name = on.name("schemas", "schema");
    let avro = |definition: &str| Schema::new().set_type(schema::Type::Avro).set_definition(definition);
    let id = name.rsplit('/').next().unwrap_or_default();
    let request = on.schemas.create_schema().set_parent(&project).set_schema(avro(ORDER)).set_schema_id(id);
    let revision = request.send().await.unwrap().revision_id;
    let stored = on.schemas.get_schema().set_name(&name).send().await.unwrap();
    assert_eq!((stored.r#type, stored.definition.as_str()), (schema::Type::Avro, ORDER));
    let bad = on.schemas.validate_schema().set_parent(&project).set_schema(avro("{}"));
    expect_refused(bad.send().await, Code::InvalidArgument);

    let settings = SchemaSettings::new().set_schema(&name).set_encoding(Encoding::Json);
    let topic = on.topics.create_topic().set_name(on.name("topics", "schema")).set_schema_settings(settings);
    let topic = topic.send().await.unwrap().name;
    let subscription = on.subscription("schema", &topic, |new| new).await;
    expect_unpublished(on.publish(&topic, &[r#"{"units":"three"}"#]).await, Code::InvalidArgument);
    on.publish(&topic, &[r#"{"units":3}"#]).await.unwrap();
    let mut stream = on.stream(&subscription);
    let (message, handler) = following(&mut stream).await;
    handler.ack();
    expect_quiet(&mut stream).await;
    close(stream).await;
    assert_eq!(text(&message), r#"{"units":3}"#);
    let said = |key: &str| message.attributes[&format!("googclient_schema{key}")].clone();
    assert_eq!([said("encoding"), said("name"), said("revisionid")], ["JSON".to_owned(), name, revision]);
}

pub(super) async fn update(on: &Exercise) {
    let topic = on.topic("update").await;
    let name = on.subscription("update", &topic, |new| new.set_labels([("team", "orders")])).await;
    let change = Subscription::new().set_name(&name).set_ack_deadline_seconds(42).set_labels([("not", "named")]);
    let update = async |paths: &[&str]| {
        let mask = FieldMask::default().set_paths(paths.iter().copied());
        on.subscriptions.update_subscription().set_subscription(change.clone()).set_update_mask(mask).send().await
    };
    let updated = update(&["ack_deadline_seconds"]).await.unwrap();
    let stored = on.subscriptions.get_subscription().set_subscription(&name).send().await.unwrap();
    for seen in [updated, stored] {
        assert_eq!(seen.ack_deadline_seconds, 42);
        assert_eq!(seen.labels, [("team".to_owned(), "orders".to_owned())].into());
    }
    expect_refused(update(&["colour"]).await, Code::InvalidArgument);
    expect_refused(update(&[]).await, Code::InvalidArgument);

    let labelled = Topic::new().set_name(&topic).set_labels([("team", "stock")]);
    let mask = FieldMask::default().set_paths(["labels"]);
    on.topics.update_topic().set_topic(labelled).set_update_mask(mask).send().await.unwrap();
    assert_eq!(on.topics.get_topic().set_topic(&topic).send().await.unwrap().labels["team"], "stock");
}

pub(super) async fn detach(on: &Exercise) {
    let topic = on.topic("detach").await;
    let name = on.subscription("detach", &topic, |new| new).await;
    on.publish(&topic, &["dropped"]).await.unwrap();
    on.topics.detach_subscription().set_subscription(&name).send().await.unwrap();
    assert!(on.subscriptions.get_subscription().set_subscription(&name).send().await.unwrap().detached);
    let mut stream = on.stream(&name);
    expect_refused(stream.next().await.expect("an answer"), Code::FailedPrecondition);
    close(stream).await;
}

pub(super) async fn list_by_pages(on: &Exercise) {
    let (mut topics, mut subscriptions) = (Vec::new(), Vec::new());
    for at in 0..5 {
        topics.push(on.topic(&format!("list-{at}")).await);
        subscriptions.push(on.subscription(&format!("list-{at}"), &topics[0], |new| new).await);
    }
    let project = format!("projects/{PROJECT}");

    let mut found = Vec::new();
    let mut pages = on.topics.list_topics().set_project(&project).set_page_size(2).by_page();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        assert!(page.topics.len() <= 2);
        found.extend(page.topics.into_iter().map(|topic| topic.name));
    }
    assert_eq!(among(found, &topics), topics);

    let mut found = Vec::new();
    let mut all = on.subscriptions.list_subscriptions().set_project(&project).set_page_size(2).by_item();
    while let Some(subscription) = all.next().await {
        found.push(subscription.unwrap().name);
    }
    assert_eq!(among(found, &subscriptions), subscriptions);

    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let request = on.topics.list_topic_subscriptions().set_topic(&topics[0]).set_page_size(2);
        let page = request.set_page_token(token).send().await.unwrap();
        found.extend(page.subscriptions);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(among(found, &subscriptions), subscriptions);
}

/// What of `found` is ours, sorted.
fn among(mut found: Vec<String>, ours: &[String]) -> Vec<String> {
    found.retain(|name| ours.contains(name));
    found.sort();
    found
}

/// Deletes what the steps before it made: topics first.
pub(super) async fn delete(on: &Exercise) {
    let made = std::mem::take(&mut *on.made.lock().unwrap());
    let of = |kind: &str| made.iter().filter(|name| name.contains(&format!("/{kind}/"))).collect::<Vec<_>>();
    for topic in of("topics") {
        on.topics.delete_topic().set_topic(topic).send().await.unwrap();
        expect_refused(on.topics.get_topic().set_topic(topic).send().await, Code::NotFound);
        expect_unpublished(on.publish(topic, &["nobody listens"]).await, Code::NotFound);
    }
    for snapshot in of("snapshots") {
        on.subscriptions.delete_snapshot().set_snapshot(snapshot).send().await.unwrap();
        expect_refused(on.subscriptions.get_snapshot().set_snapshot(snapshot).send().await, Code::NotFound);
    }
    for name in of("subscriptions") {
        let stored = on.subscriptions.get_subscription().set_subscription(name).send().await.unwrap();
        assert_eq!(stored.topic, "_deleted-topic_");
        let delete = || on.subscriptions.delete_subscription().set_subscription(name).send();
        delete().await.unwrap();
        expect_refused(on.subscriptions.get_subscription().set_subscription(name).send().await, Code::NotFound);
        expect_refused(delete().await, Code::NotFound);
    }
    for schema in of("schemas") {
        on.schemas.delete_schema().set_name(schema).send().await.unwrap();
        expect_refused(on.schemas.get_schema().set_name(schema).send().await, Code::NotFound);
    }
}
