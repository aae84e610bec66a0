//! BigQuery subscriptions, with a folder as the warehouse.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use broker::warehouse::{Column, Folder, TableName};
use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::big_query_config::State;
use google_cloud_googleapis::pubsub::v1::subscription::State as Overall;
use pb::schema::Type;
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::Code;

use crate::harness::{DEAD, SUBSCRIPTION, TOPIC, World, message, soon, with_attributes};
use crate::schemas::{self, AVRO, AVRO_2, PROTO, PROTO_2, schema};

const LETTERS: &str = "projects/p/subscriptions/oms.dead-letters";

/// A broker whose warehouse is a folder, and its topic.
struct Analytics {
    world: World,
    folder: TempDir,
}

impl Analytics {
    async fn new() -> Analytics {
        let folder = tempfile::tempdir().unwrap();
        let warehouse = Folder::open(folder.path()).unwrap();
        let mut world = World::with(|s| s.warehouse = Some(Arc::new(warehouse))).await;
        world.topic(TOPIC).await;
        Analytics { world, folder }
    }

    /// With a table of one column for the whole message.
    async fn with_data() -> Analytics {
        let analytics = Analytics::new().await;
        analytics.table(&json!([{"name": "data", "type": "STRING"}]));
        analytics
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("p.d.t")
    }

    fn table(&self, columns: &Value) {
        let name: TableName = "p.d.t".parse().unwrap();
        let columns: Vec<Column> = serde_json::from_value(columns.clone()).unwrap();
        Folder::create_table(self.folder.path(), &name, &columns).unwrap();
    }

    async fn create(
        &mut self,
        change: impl FnOnce(&mut pb::Subscription, &mut pb::BigQueryConfig),
    ) -> Result<pb::Subscription, tonic::Status> {
        let mut bigquery = pb::BigQueryConfig { table: "p.d.t".to_owned(), ..Default::default() };
        let mut config =
            pb::Subscription { name: SUBSCRIPTION.to_owned(), topic: TOPIC.to_owned(), ..Default::default() };
        change(&mut config, &mut bigquery);
        config.bigquery_config = Some(bigquery);
        Ok(self.world.subscriber.create_subscription(config).await?.into_inner())
    }

    /// A dead-letter topic with a subscription of its own.
    async fn letters(&mut self) -> pb::DeadLetterPolicy {
        self.world.topic(DEAD).await;
        self.world.subscription(|s| (s.name, s.topic) = (LETTERS.to_owned(), DEAD.to_owned())).await;
        pb::DeadLetterPolicy { dead_letter_topic: DEAD.to_owned(), max_delivery_attempts: 5 }
    }

    fn rows(&self) -> Vec<Value> {
        rows(&self.path())
    }

    /// The rows once nothing is owed.
    async fn rows_when_done(&self) -> Vec<Value> {
        self.world.stats_when(SUBSCRIPTION, |s| s.backlog == 0).await;
        self.rows()
    }

    /// Waits until the subscription shows this.
    async fn state(&mut self, wanted: State) -> pb::Subscription {
        soon(async {
            loop {
                let request = pb::GetSubscriptionRequest { subscription: SUBSCRIPTION.to_owned() };
                let config = self.world.subscriber.get_subscription(request).await.unwrap().into_inner();
                if config.bigquery_config.as_ref().unwrap().state() == wanted {
                    return config;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }
}

/// All rows of a table, oldest first.
fn rows(table: &Path) -> Vec<Value> {
    let mut files: Vec<PathBuf> = fs::read_dir(table)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "ndjson"))
        .collect();
    files.sort();
    let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn column(rows: &[Value], name: &str) -> Vec<String> {
    rows.iter().map(|row| row[name].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn whole_messages_and_their_metadata_become_rows() {
    let mut analytics = Analytics::new().await;
    analytics.table(&json!([
        {"name": "subscription_name", "type": "STRING"},
        {"name": "message_id", "type": "STRING"},
        {"name": "publish_time", "type": "TIMESTAMP"},
        {"name": "data", "type": "JSON"},
        {"name": "attributes", "type": "JSON"},
    ]));
    let created = analytics.create(|_, b| b.write_metadata = true).await.unwrap();
    assert_eq!(created.bigquery_config.as_ref().unwrap().state(), State::Active);
    let ids = analytics.world.publish(vec![with_attributes("{\"n\": 1}", &[("ce-id", "1")])]).await.unwrap();

    let rows = analytics.rows_when_done().await;

    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(row["subscription_name"], SUBSCRIPTION);
    assert_eq!(row["message_id"], ids[0].as_str());
    assert_eq!((&row["data"], &row["attributes"]), (&json!("{\"n\": 1}"), &json!("{\"ce-id\":\"1\"}")));
    assert!(row["publish_time"].as_str().unwrap().ends_with("000Z"), "{row}");
}

#[tokio::test]
async fn fields_become_columns_and_what_does_not_fit_becomes_a_dead_letter_with_its_reason() {
    let mut analytics = Analytics::new().await;
    analytics.table(&json!([
        {"name": "id", "type": "STRING", "mode": "REQUIRED"},
        {"name": "total", "type": "NUMERIC"},
        {"name": "items", "type": "RECORD", "mode": "REPEATED", "fields": [{"name": "sku", "type": "STRING"}]},
    ]));
    let policy = analytics.letters().await;
    analytics.create(|s, b| (s.dead_letter_policy, b.use_table_schema) = (Some(policy), true)).await.unwrap();
    let good = "{\"id\":\"o1\",\"total\":12.50,\"items\":[{\"sku\":\"a\"}]}";
    analytics.world.publish(vec![message(good), message("{\"total\":1}"), message("{\"id\":\"o2\"}")]).await.unwrap();

    let letters = analytics.world.pull_from(LETTERS, false).await;

    let letter = letters[0].message.as_ref().unwrap();
    assert_eq!(letter.data, b"{\"total\":1}");
    let said = |key: &str| letter.attributes[&format!("CloudPubSubDeadLetterSource{key}")].clone();
    assert_eq!(
        (said("DeliveryErrorMessage"), said("DeliveryCount")),
        ("id: REQUIRED and not given".to_owned(), "5".to_owned())
    );
    let rows = analytics.rows_when_done().await;
    assert_eq!(rows, [json!({"id": "o1", "total": "12.5", "items": [{"sku": "a"}]}), json!({"id": "o2", "items": []})]);
    let figures = analytics.world.stats_when(SUBSCRIPTION, |s| s.dead_lettered == 1).await;
    assert_eq!((figures.acked, figures.nacked), (2, 5));
}

#[tokio::test]
async fn a_message_that_does_not_fit_waits_when_there_is_no_dead_letter_topic() {
    let mut analytics = Analytics::with_data().await;
    analytics.create(|_, _| {}).await.unwrap();
    let bad = pb::PubsubMessage { data: vec![0xff], ..Default::default() };
    analytics.world.publish(vec![bad, message("good")]).await.unwrap();
    let figures = analytics.world.stats_when(SUBSCRIPTION, |s| s.acked == 1 && s.nacked >= 2).await;
    assert_eq!((figures.backlog, analytics.rows()), (1, vec![json!({"data": "good"})]));
    assert_eq!(analytics.state(State::Active).await.state(), Overall::Active);
}

#[tokio::test]
async fn a_missing_table_keeps_the_backlog_without_counting_attempts_and_recovers_when_it_is_made() {
    let mut analytics = Analytics::with_data().await;
    let policy = analytics.letters().await;
    analytics.create(|s, _| s.dead_letter_policy = Some(policy)).await.unwrap();
    analytics.world.say(&["before"]).await;
    analytics.rows_when_done().await;
    fs::remove_dir_all(analytics.path()).unwrap();
    analytics.world.say(&["a", "b"]).await;

    let config = analytics.state(State::NotFound).await;

    assert_eq!(config.state(), Overall::ResourceError);
    let figures = analytics.world.stats_when(SUBSCRIPTION, |s| s.backlog == 2).await;
    assert_eq!((figures.nacked, figures.dead_lettered), (0, 0));
    analytics.table(&json!([{"name": "data", "type": "STRING"}]));
    assert_eq!(analytics.state(State::Active).await.state(), Overall::Active);
    assert_eq!(column(&analytics.rows_when_done().await, "data"), ["a", "b"]);
}

#[tokio::test]
async fn a_table_whose_schema_no_longer_fits_is_a_state_until_it_fits_again() {
    let mut analytics = Analytics::with_data().await;
    analytics.create(|_, _| {}).await.unwrap();
    let schema = analytics.path().join("schema.json");
    fs::write(&schema, "[{\"name\":\"other\",\"type\":\"STRING\"}]").unwrap();
    analytics.world.say(&["a"]).await;
    assert_eq!(analytics.state(State::SchemaMismatch).await.state(), Overall::ResourceError);
    fs::write(&schema, "[{\"name\":\"data\",\"type\":\"BYTES\"}]").unwrap();
    assert_eq!(column(&analytics.rows_when_done().await, "data"), ["YQ=="]);
    analytics.state(State::Active).await;
}

#[tokio::test]
async fn rows_that_cannot_be_written_now_are_tried_again_without_counting_attempts() {
    let mut analytics = Analytics::with_data().await;
    let policy = analytics.letters().await;
    analytics.create(|s, _| s.dead_letter_policy = Some(policy)).await.unwrap();
    let in_the_way = analytics.path().join("0001.ndjson");
    fs::create_dir(&in_the_way).unwrap();
    analytics.world.say(&["a", "b"]).await;
    analytics.world.stats_when(SUBSCRIPTION, |s| s.delivered >= 8).await;
    assert_eq!(analytics.state(State::Active).await.state(), Overall::Active);
    fs::remove_dir(&in_the_way).unwrap();
    let mut written = column(&analytics.rows_when_done().await, "data");
    written.sort();
    assert_eq!(written, ["a", "b"]);
    let figures = analytics.world.stats_when(SUBSCRIPTION, |s| s.backlog == 0).await;
    assert_eq!((figures.nacked, figures.dead_lettered, figures.acked), (0, 0, 2));
}

#[tokio::test]
async fn an_ordering_key_stays_in_order_when_one_of_its_messages_is_refused_and_given_up() {
    let mut analytics = Analytics::new().await;
    analytics.table(&json!([{"name": "n", "type": "INTEGER"}, {"name": "k", "type": "STRING"}]));
    let policy = analytics.letters().await;
    analytics
        .create(|s, b| {
            (s.enable_message_ordering, s.dead_letter_policy, b.use_table_schema) = (true, Some(policy), true);
            let ms = |ms: i32| Some(prost_types::Duration { seconds: 0, nanos: ms * 1_000_000 });
            s.retry_policy = Some(pb::RetryPolicy { minimum_backoff: ms(10), maximum_backoff: ms(10) });
        })
        .await
        .unwrap();
    for from in [0, 20] {
        for key in ["x", "y"] {
            let text =
                |n| if n == 7 && key == "x" { "poison".to_owned() } else { format!("{{\"n\":{n},\"k\":\"{key}\"}}") };
            let keyed = |n| pb::PubsubMessage { ordering_key: key.to_owned(), ..message(&text(n)) };
            // In one request, so that what comes after the poison is in one batch with it.
            analytics.world.publish((from..from + 20).map(keyed).collect()).await.unwrap();
        }
    }

    let rows = analytics.rows_when_done().await;

    for (key, missing) in [("x", Some(7)), ("y", None)] {
        let written: Vec<i64> = rows.iter().filter(|r| r["k"] == key).map(|r| r["n"].as_i64().unwrap()).collect();
        let wanted: Vec<i64> = (0..40).filter(|n| Some(*n) != missing).collect();
        assert_eq!(written, wanted, "{key}");
    }
    let letters = analytics.world.pull_from(LETTERS, false).await;
    assert_eq!(letters[0].message.as_ref().unwrap().data, b"poison");
}

#[tokio::test]
async fn an_ordering_key_waits_behind_a_refused_message_until_the_table_takes_it() {
    let mut analytics = Analytics::new().await;
    analytics.table(&json!([{"name": "n", "type": "INTEGER"}]));
    analytics.create(|s, b| (s.enable_message_ordering, b.use_table_schema) = (true, true)).await.unwrap();
    let text = |n| if n == 2 { "{\"n\":2,\"extra\":\"\"}".to_owned() } else { format!("{{\"n\":{n}}}") };
    let keyed = |n| pb::PubsubMessage { ordering_key: "k".to_owned(), ..message(&text(n)) };
    analytics.world.publish((0..6).map(keyed).collect()).await.unwrap();
    analytics.world.publish(vec![message("{\"n\":100}")]).await.unwrap();
    let figures = analytics.world.stats_when(SUBSCRIPTION, |s| s.nacked >= 2 && s.acked == 3).await;
    assert_eq!(figures.backlog, 4, "what has no key is written, what comes after in the key is not");

    let columns = json!([{"name": "n", "type": "INTEGER"}, {"name": "extra", "type": "STRING"}]);
    fs::write(analytics.path().join("schema.json"), columns.to_string()).unwrap();

    let rows = analytics.rows_when_done().await;
    let numbers: Vec<i64> = rows.iter().map(|r| r["n"].as_i64().unwrap()).filter(|n| *n < 100).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_crash_at_any_time_loses_no_row_and_leaves_whole_lines() {
    let mut analytics = Analytics::with_data().await;
    analytics.create(|_, _| {}).await.unwrap();
    for round in 0..8 {
        let messages = (0..200).map(|n| message(&format!("{round}-{n}"))).collect();
        analytics.world.publish(messages).await.unwrap();
        // Sooner or later in the writing of what was published.
        analytics.world.stats_when(SUBSCRIPTION, |s| s.acked + s.delivered >= round * 25).await;
        analytics.world.crash().await;
    }
    let mut written = column(&analytics.rows_when_done().await, "data");
    written.sort();
    written.dedup();
    assert_eq!(written.len(), 8 * 200);
}

/// A topic of a schema and a subscription that writes what follows it.
async fn of_schema(analytics: &mut Analytics, kind: Type, definition: &str, encoding: pb::Encoding) {
    let request = pb::CreateSchemaRequest {
        parent: "projects/p".to_owned(),
        schema: Some(schema("", kind, definition)),
        schema_id: "order".to_owned(),
    };
    schemas::connected(&analytics.world).await.create_schema(request).await.unwrap();
    analytics.world.publisher.delete_topic(pb::DeleteTopicRequest { topic: TOPIC.to_owned() }).await.unwrap();
    let settings = Some(schemas::settings(encoding));
    let topic = pb::Topic { name: TOPIC.to_owned(), schema_settings: settings, ..Default::default() };
    analytics.world.publisher.create_topic(topic).await.unwrap();
    analytics.create(|_, b| b.use_topic_schema = true).await.unwrap();
}

async fn commit(analytics: &Analytics, kind: Type, definition: &str) {
    let name = schemas::NAME;
    let request = pb::CommitSchemaRequest { name: name.to_owned(), schema: Some(schema(name, kind, definition)) };
    schemas::connected(&analytics.world).await.commit_schema(request).await.unwrap();
}

fn raw(data: &[u8]) -> pb::PubsubMessage {
    pb::PubsubMessage { data: data.to_vec(), ..Default::default() }
}

#[tokio::test]
async fn messages_of_a_topics_schema_become_rows_and_a_new_revision_is_noticed() {
    let (avro, protobuf) = (Type::Avro, Type::ProtocolBuffer);
    for (kind, encoding, old, new, first, second) in [
        (avro, pb::Encoding::Json, AVRO, AVRO_2, &b"{\"id\":7}"[..], &b"{\"id\":8,\"note\":{\"string\":\"x\"}}"[..]),
        (avro, pb::Encoding::Binary, AVRO, AVRO_2, b"\x0e", b"\x10\x02\x02x"),
        (protobuf, pb::Encoding::Binary, PROTO, PROTO_2, b"\x08\x07", b"\x08\x08\x12\x01x"),
    ] {
        let mut analytics = Analytics::new().await;
        analytics.table(&json!([{"name": "id", "type": "INTEGER"}, {"name": "note", "type": "STRING"}]));
        of_schema(&mut analytics, kind, old, encoding).await;
        analytics.world.publish(vec![raw(first)]).await.unwrap();
        assert_eq!(analytics.rows_when_done().await, [json!({"id": 7})], "{kind:?} {encoding:?}");

        commit(&analytics, kind, new).await;
        analytics.world.publish(vec![raw(second)]).await.unwrap();

        let rows = analytics.rows_when_done().await;
        assert_eq!(rows, [json!({"id": 7}), json!({"id": 8, "note": "x"})], "{kind:?} {encoding:?}");
        let figures = analytics.world.stats_when(SUBSCRIPTION, |s| s.backlog == 0).await;
        assert_eq!(figures.nacked, 0);
    }
}

#[tokio::test]
async fn a_message_is_read_by_the_revision_it_was_published_with() {
    let field = |name: &str| json!({"name": name, "type": "int", "default": 0});
    let record = |fields: Value| json!({"type": "record", "name": "Order", "fields": fields}).to_string();
    let mut analytics = Analytics::new().await;
    analytics.table(&json!([{"name": "a", "type": "INTEGER"}, {"name": "b", "type": "INTEGER"}]));
    of_schema(&mut analytics, Type::Avro, &record(json!([field("a"), field("b")])), pb::Encoding::Binary).await;
    // Nothing is written before the new revision is there.
    fs::rename(analytics.path(), analytics.folder.path().join("away")).unwrap();
    analytics.world.publish(vec![raw(b"\x02\x04")]).await.unwrap();
    commit(&analytics, Type::Avro, &record(json!([field("b"), field("a")]))).await;
    analytics.world.publish(vec![raw(b"\x02\x04")]).await.unwrap();
    fs::rename(analytics.folder.path().join("away"), analytics.path()).unwrap();

    let mut rows = analytics.rows_when_done().await;

    rows.sort_by_key(|row| row["a"].as_i64());
    assert_eq!(rows, [json!({"a": 1, "b": 2}), json!({"a": 2, "b": 1})]);
}

#[tokio::test]
async fn a_revision_that_the_table_does_not_take_is_a_state_until_it_does() {
    let mut analytics = Analytics::new().await;
    analytics.table(&json!([{"name": "id", "type": "INTEGER"}]));
    of_schema(&mut analytics, Type::Avro, AVRO, pb::Encoding::Json).await;
    commit(&analytics, Type::Avro, AVRO_2).await;
    analytics.world.publish(vec![raw(b"{\"id\":7}")]).await.unwrap();
    assert_eq!(analytics.state(State::SchemaMismatch).await.state(), Overall::ResourceError);
    let columns = json!([{"name": "id", "type": "INTEGER"}, {"name": "note", "type": "STRING"}]);
    fs::write(analytics.path().join("schema.json"), columns.to_string()).unwrap();
    assert_eq!(analytics.rows_when_done().await, [json!({"id": 7})]);
}

#[tokio::test]
async fn creation_refuses_what_the_service_refuses() {
    let mut analytics = Analytics::new().await;
    let code = |result: Result<_, tonic::Status>| result.map(|_: pb::Subscription| ()).unwrap_err().code();
    assert_eq!(code(analytics.create(|_, _| {}).await), Code::NotFound);
    analytics.table(&json!([{"name": "data", "type": "STRING"}]));
    assert_eq!(code(analytics.create(|_, b| b.write_metadata = true).await), Code::InvalidArgument);
    assert_eq!(code(analytics.create(|_, b| b.table = "t".to_owned()).await), Code::InvalidArgument);
    let refusal = analytics.create(|_, b| b.use_topic_schema = true).await.unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert!(refusal.message().contains("a topic that has a schema"), "{refusal}");
    analytics.create(|_, b| b.table = "p:d.t".to_owned()).await.unwrap();

    let mut world = World::with_topic().await;
    let config = pb::Subscription {
        name: SUBSCRIPTION.to_owned(),
        topic: TOPIC.to_owned(),
        bigquery_config: Some(pb::BigQueryConfig { table: "p.d.t".to_owned(), ..Default::default() }),
        ..Default::default()
    };
    let refusal = world.subscriber.create_subscription(config).await.unwrap_err();
    assert_eq!(refusal.code(), Code::FailedPrecondition);
    assert!(refusal.message().contains("without"), "{refusal}");
}

#[tokio::test]
async fn a_bigquery_subscription_has_no_subscribers_and_no_endpoint() {
    let mut analytics = Analytics::with_data().await;
    analytics.create(|_, _| {}).await.unwrap();
    #[allow(deprecated)]
    let pull = pb::PullRequest { subscription: SUBSCRIPTION.to_owned(), return_immediately: true, max_messages: 1 };
    assert_eq!(analytics.world.subscriber.pull(pull).await.unwrap_err().code(), Code::FailedPrecondition);
    let stream = pb::StreamingPullRequest {
        subscription: SUBSCRIPTION.to_owned(),
        stream_ack_deadline_seconds: 10,
        ..Default::default()
    };
    let streamed = analytics.world.subscriber.streaming_pull(futures::stream::iter([stream])).await;
    let refused = streamed.unwrap().into_inner().message().await;
    assert_eq!(refused.unwrap_err().code(), Code::FailedPrecondition);
    let push = pb::ModifyPushConfigRequest { subscription: SUBSCRIPTION.to_owned(), push_config: None };
    let refused = analytics.world.subscriber.modify_push_config(push).await;
    assert_eq!(refused.unwrap_err().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn without_its_warehouse_a_subscription_waits_and_goes_on_when_it_is_back() {
    let mut analytics = Analytics::with_data().await;
    analytics.create(|_, _| {}).await.unwrap();
    analytics.state(State::Active).await;
    let warehouse = analytics.world.settings.warehouse.take();
    analytics.world.crash().await;
    assert_eq!(analytics.state(State::NotFound).await.state(), Overall::ResourceError);
    analytics.world.say(&["a"]).await;
    analytics.world.settings.warehouse = warehouse;
    analytics.world.crash().await;
    assert_eq!(column(&analytics.rows_when_done().await, "data"), ["a"]);
    analytics.state(State::Active).await;
}
