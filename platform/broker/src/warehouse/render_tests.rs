use std::sync::Arc;

use google_cloud_googleapis::pubsub::v1 as pb;
use proptest::prelude::*;
use serde_json::json;

use super::super::column::Mode;
use super::super::door::Table;
use super::super::topic_schema::{Field, TopicSchema};
use super::*;

fn table(columns: &Value) -> Table {
    Table { columns: serde_json::from_value(columns.clone()).unwrap() }
}

fn plan(change: impl FnOnce(&mut pb::BigQueryConfig), columns: &Value) -> Result<Plan, String> {
    let mut config = pb::BigQueryConfig::default();
    change(&mut config);
    Plan::new(&config, &table(columns), None)
}

fn render(plan: &Plan, message: &MessageView) -> Result<Value, String> {
    let given = Given { subscription: "projects/p/subscriptions/s", id: 12, publish_ms: 1_614_367_435_749, message };
    plan.row(&given).map(Value::Object).map_err(|bad| bad.0)
}

fn row(plan: &Plan, data: &[u8]) -> Result<Value, String> {
    render(plan, &MessageView { data, ..Default::default() })
}

fn metadata(attributes: &str) -> Vec<Value> {
    vec![
        json!({"name": "subscription_name", "type": "STRING"}),
        json!({"name": "message_id", "type": "STRING"}),
        json!({"name": "publish_time", "type": "TIMESTAMP"}),
        json!({"name": "attributes", "type": attributes}),
    ]
}

#[test]
fn without_a_schema_the_message_goes_into_one_column() {
    let of = |kind| plan(|_| {}, &json!([{"name": "data", "type": kind}])).unwrap();
    assert_eq!(row(&of("STRING"), "hä".as_bytes()), Ok(json!({"data": "hä"})));
    assert_eq!(row(&of("STRING"), b"\xff"), Err("data: the message is not UTF-8".to_owned()));
    assert_eq!(row(&of("BYTES"), b"\xff"), Ok(json!({"data": "/w=="})));
    assert_eq!(row(&of("JSON"), b"{\"a\": 1}"), Ok(json!({"data": "{\"a\": 1}"})));
    for bad in ["", "{", "{} {}"] {
        assert_eq!(row(&of("JSON"), bad.as_bytes()), Err("data: the message is not JSON".to_owned()));
    }
    assert_eq!(row(&of("JSON"), b"\"\xff\""), Err("data: the message is not JSON".to_owned()));
}

#[test]
fn metadata_is_written_with_attributes_and_ordering_key_as_json() {
    for kind in ["JSON", "STRING"] {
        let mut columns = metadata(kind);
        columns.push(json!({"name": "data", "type": "STRING"}));
        let plan = plan(|c| c.write_metadata = true, &Value::Array(columns)).unwrap();
        let message =
            MessageView { data: b"x", attributes: vec![("ce-id", "1\"")], ordering_key: "k", ..Default::default() };
        assert_eq!(
            render(&plan, &message),
            Ok(json!({
                "subscription_name": "projects/p/subscriptions/s",
                "message_id": "12",
                "publish_time": "2021-02-26T19:23:55.749000Z",
                "attributes": "{\"ce-id\":\"1\\\"\",\"ordering_key\":\"k\"}",
                "data": "x",
            }))
        );
        assert_eq!(row(&plan, b"x").unwrap()["attributes"], "{}");
    }
}

#[test]
fn a_table_that_cannot_take_what_is_written_does_not_fit() {
    let data = json!([{"name": "data", "type": "STRING"}]);
    type Change = fn(&mut pb::BigQueryConfig);
    let cases: [(Change, Value); 8] = [
        (|_| {}, json!([])),
        (|_| {}, json!([{"name": "data", "type": "INTEGER"}])),
        (|_| {}, json!([{"name": "data", "type": "STRING", "mode": "REPEATED"}])),
        (|_| {}, json!([{"name": "data", "type": "STRING"}, {"name": "more", "type": "STRING", "mode": "REQUIRED"}])),
        (|_| {}, json!([{"name": "data", "type": "STRING"}, {"name": "DATA", "type": "STRING"}])),
        (|c| c.write_metadata = true, data.clone()),
        (|c| (c.write_metadata, c.use_table_schema) = (true, true), data.clone()),
        (|c| c.write_metadata = true, Value::Array(metadata("TIMESTAMP"))),
    ];
    for (i, (change, columns)) in cases.into_iter().enumerate() {
        assert!(plan(change, &columns).is_err(), "case {i}");
    }
    assert!(plan(|c| c.use_table_schema = true, &data).is_ok());
    let filled = json!([{"name": "data", "type": "STRING"}, {"name": "at", "type": "TIMESTAMP", "mode": "REQUIRED", "defaultValueExpression": "CURRENT_TIMESTAMP()"}]);
    assert!(plan(|_| {}, &filled).is_ok());
}

fn orders() -> Value {
    json!([
        {"name": "order_id", "type": "STRING", "mode": "REQUIRED"},
        {"name": "total", "type": "NUMERIC"},
        {"name": "placed", "type": "TIMESTAMP"},
        {"name": "tags", "type": "STRING", "mode": "REPEATED"},
        {"name": "items", "type": "RECORD", "mode": "REPEATED", "fields": [
            {"name": "sku", "type": "STRING", "mode": "REQUIRED"},
            {"name": "count", "type": "INTEGER"},
        ]},
        {"name": "extra", "type": "JSON"},
    ])
}

#[test]
fn fields_go_into_the_columns_of_their_names() {
    let plan = plan(|c| c.use_table_schema = true, &orders()).unwrap();
    let message = json!({
        "ORDER_ID": "o1", "total": 12.5, "placed": "2026-11-22 10:00:00+01", "tags": ["a", "b"],
        "items": [{"sku": "s", "count": 2}, {"sku": "t", "count": null}], "extra": "{\"a\":1}",
    });
    assert_eq!(
        row(&plan, message.to_string().as_bytes()),
        Ok(json!({
            "order_id": "o1", "total": "12.5", "placed": "2026-11-22T09:00:00.000000Z", "tags": ["a", "b"],
            "items": [{"sku": "s", "count": 2}, {"sku": "t"}], "extra": "{\"a\":1}",
        }))
    );
    assert_eq!(
        row(&plan, b"{\"order_id\":\"o2\",\"tags\":null}"),
        Ok(json!({"order_id": "o2", "tags": [], "items": []}))
    );
}

#[test]
fn a_message_that_does_not_fit_is_refused_with_the_place_and_without_its_values() {
    let plan = plan(|c| c.use_table_schema = true, &orders()).unwrap();
    for (message, why) in [
        ("no", "the message is not JSON"),
        ("[1]", "the message is JSON, but no object"),
        ("{}", "order_id: REQUIRED and not given"),
        ("{\"order_id\":null}", "order_id: REQUIRED and not given"),
        ("{\"order_id\":\"o\",\"Order_Id\":\"p\"}", "order_id: given twice"),
        ("{\"order_id\":\"o\",\"nosuch\":\"secret\"}", "nosuch: no such column"),
        ("{\"order_id\":\"o\",\"total\":\"secret\"}", "total: not a value for a column of type NUMERIC"),
        ("{\"order_id\":\"o\",\"tags\":\"a\"}", "tags: a REPEATED column takes a list"),
        ("{\"order_id\":\"o\",\"tags\":[\"a\",null]}", "tags[1]: a list has no NULL"),
        ("{\"order_id\":\"o\",\"items\":[{\"sku\":\"s\"},{}]}", "items[1].sku: REQUIRED and not given"),
        ("{\"order_id\":\"o\",\"items\":[1]}", "items[0]: a RECORD column takes an object"),
        (
            "{\"order_id\":\"o\",\"_CHANGE_TYPE\":\"DELETE\"}",
            "_CHANGE_TYPE: change data capture is not implemented by this broker",
        ),
    ] {
        assert_eq!(row(&plan, message.as_bytes()), Err(why.to_owned()), "{message}");
    }
}

#[test]
fn unknown_fields_are_dropped_at_every_depth_when_asked() {
    let plan = plan(|c| (c.use_table_schema, c.drop_unknown_fields) = (true, true), &orders()).unwrap();
    let message = b"{\"order_id\":\"o\",\"nosuch\":1,\"items\":[{\"sku\":\"s\",\"nosuch\":{}}]}";
    assert_eq!(row(&plan, message), Ok(json!({"order_id": "o", "tags": [], "items": [{"sku": "s"}]})));
}

#[test]
fn a_field_never_takes_the_place_of_the_metadata() {
    let mut columns = metadata("JSON");
    columns.push(json!({"name": "a", "type": "INTEGER"}));
    let columns = Value::Array(columns);
    let message = b"{\"a\":1,\"message_id\":\"mine\"}";
    let strict = plan(|c| (c.use_table_schema, c.write_metadata) = (true, true), &columns).unwrap();
    assert_eq!(row(&strict, message), Err("message_id: no such column".to_owned()));
    let lax =
        |c: &mut pb::BigQueryConfig| (c.use_table_schema, c.write_metadata, c.drop_unknown_fields) = (true, true, true);
    assert_eq!(row(&plan(lax, &columns).unwrap(), message).unwrap()["message_id"], "12");
}

struct Upper(Vec<Field>);

impl TopicSchema for Upper {
    fn fields(&self) -> &[Field] {
        &self.0
    }

    fn read(&self, data: &[u8], _: Option<&str>) -> Result<Map<String, Value>, String> {
        let text = String::from_utf8(data.to_vec()).map_err(|_| "not of the schema".to_owned())?;
        Ok(Map::from_iter([("text".to_owned(), Value::from(text.to_uppercase()))]))
    }
}

#[test]
fn a_topic_schema_reads_the_message_and_must_fit_the_table() {
    let make = |drop_unknown_fields, columns: Value| {
        let config = pb::BigQueryConfig { use_topic_schema: true, drop_unknown_fields, ..Default::default() };
        let text = |name: &str, mode| Field { name: name.to_owned(), types: &[Type::String], mode, fields: Vec::new() };
        let record =
            Field { types: &[Type::Record], fields: vec![text("t", Mode::Required)], ..text("r", Mode::Repeated) };
        let fields = vec![text("text", Mode::Required), text("maybe", Mode::Nullable), record];
        Plan::new(&config, &table(&columns), Some(Arc::new(Upper(fields))))
    };
    let fitting = json!([
        {"name": "Text", "type": "STRING", "mode": "REQUIRED"},
        {"name": "maybe", "type": "STRING"},
        {"name": "r", "type": "RECORD", "mode": "REPEATED", "fields": [{"name": "t", "type": "STRING"}]},
    ]);
    let plan = make(false, fitting.clone()).unwrap();
    assert_eq!(row(&plan, b"abc"), Ok(json!({"Text": "ABC", "r": []})));
    for (at, wrong) in [
        ("/0/type", "INTEGER"),
        ("/0/mode", "REPEATED"),
        ("/0/name", "other"),
        ("/1/mode", "REQUIRED"),
        ("/2/mode", "NULLABLE"),
        ("/2/fields/0/type", "BYTES"),
        ("/2/fields/0/name", "other"),
    ] {
        let mut columns = fitting.clone();
        if at == "/1/mode" {
            columns[1]["mode"] = json!("");
        }
        *columns.pointer_mut(at).unwrap_or_else(|| panic!("{at}")) = json!(wrong);
        assert!(make(false, columns).is_err(), "{at} {wrong}");
    }
    let required = json!([{"name": "text", "type": "STRING"}, {"name": "more", "type": "DATE", "mode": "REQUIRED"}]);
    assert!(make(true, required).is_err(), "nothing is written to a REQUIRED column");
    assert_eq!(row(&plan, b"\xff"), Err("not of the schema".to_owned()));
    assert!(make(false, json!([{"name": "other", "type": "STRING"}])).is_err());
    assert!(make(true, json!([{"name": "other", "type": "STRING"}])).is_ok());
}

#[test]
fn records_in_records_and_columns_are_bounded() {
    let mut column = Column::new("r", Type::String, Mode::Nullable);
    for _ in 0..16 {
        column = Column { fields: vec![column], ..Column::new("r", Type::Record, Mode::Nullable) };
    }
    let config = pb::BigQueryConfig { use_table_schema: true, ..Default::default() };
    assert!(Plan::new(&config, &Table { columns: column.fields.clone() }, None).is_ok());
    assert!(Plan::new(&config, &Table { columns: vec![column] }, None).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}|[0-9]{4}-[0-9]{2}-[0-9]{2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-e]|sku|count|order_id|total|placed|tags|items|extra", inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    /// What a row holds, written again as a message, makes the same row: the forms of the columns are their own canonical texts.
    #[test]
    fn any_json_is_refused_or_a_row_that_makes_itself_again(message in any_json(), drop_unknown_fields in any::<bool>()) {
        let plan = plan(|c| (c.use_table_schema, c.drop_unknown_fields) = (true, drop_unknown_fields), &orders()).unwrap();
        if let Ok(made) = row(&plan, message.to_string().as_bytes()) {
            let columns = table(&orders()).columns;
            prop_assert!(made.as_object().unwrap().keys().all(|name| columns.iter().any(|c| c.name == *name)));
            prop_assert!(made["order_id"].is_string() && made["tags"].is_array() && made["items"].is_array());
            prop_assert_eq!(row(&plan, made.to_string().as_bytes()), Ok(made));
        }
    }

    #[test]
    fn any_bytes_are_a_row_or_refused(data in proptest::collection::vec(any::<u8>(), 0..60)) {
        for kind in ["STRING", "BYTES", "JSON"] {
            let plan = plan(|_| {}, &json!([{"name": "data", "type": kind}])).unwrap();
            let made = row(&plan, &data);
            prop_assert_eq!(made.is_ok(), match kind {
                "BYTES" => true,
                "STRING" => std::str::from_utf8(&data).is_ok(),
                _ => serde_json::from_slice::<Value>(&data).is_ok(),
            });
        }
    }
}
