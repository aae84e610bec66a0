//! Requests as clients send them, and as they should not.

use google_cloud_googleapis::iam::v1 as iam;
use google_cloud_googleapis::pubsub::v1 as pb;
use proptest::prelude::*;
use prost::Message;
use prost_types::FieldMask;

use super::super::route::ROUTES;
use super::{Call, transcode};
use crate::error::{Code, Refusal};
use crate::limits::JSON_VALUES;

fn asked<M: Message + Default>(verb: &str, target: &str, body: &str) -> M {
    let call = sent(verb, target, body).unwrap_or_else(|refusal| panic!("{verb} {target} {body}: {}", refusal.message));
    M::decode(call.request.as_slice()).unwrap()
}

fn sent(verb: &str, target: &str, body: &str) -> Result<Call, Refusal> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    transcode(verb, path, query, body.as_bytes())
}

fn refused(verb: &str, target: &str, body: &str) -> String {
    match sent(verb, target, body) {
        Ok(_) => panic!("{verb} {target} {body} is not refused"),
        Err(refusal) => {
            assert_eq!(refusal.code, Code::InvalidArgument, "{verb} {target} {body}: {}", refusal.message);
            refusal.message
        }
    }
}

#[test]
fn a_whole_body_is_the_request_and_the_path_names_it() {
    let name = "projects/p/topics/t";
    for body in ["", " ", "{}", r#"{"name":"projects/p/topics/t"}"#, r#"{"name":null,"labels":null}"#] {
        assert_eq!(asked::<pb::Topic>("PUT", "/v1/projects/p/topics/t", body).name, name);
    }
    let why = refused("PUT", "/v1/projects/p/topics/t", r#"{"name":"projects/p/topics/u"}"#);
    assert!(why.starts_with("name in the request is not projects/p/topics/t"), "{why}");
    let update: pb::UpdateTopicRequest = asked(
        "PATCH",
        "/v1/projects/p/topics/t",
        r#"{"topic":{"labels":{"snake_case":"kept"}},"updateMask":"labels,messageRetentionDuration"}"#,
    );
    let topic = update.topic.unwrap();
    assert_eq!((topic.name.as_str(), topic.labels["snake_case"].as_str()), (name, "kept"));
    assert_eq!(update.update_mask.unwrap().paths, ["labels", "message_retention_duration"]);
    let snake = r#"{"topic":{},"update_mask":"labels,message_retention_duration"}"#;
    let update: pb::UpdateTopicRequest = asked("PATCH", "/v1/projects/p/topics/t", snake);
    assert_eq!(update.update_mask.unwrap().paths, ["labels", "message_retention_duration"]);
    refused("PATCH", "/v1/projects/p/topics/t", r#"{"topic":{"name":"projects/p/topics/u"}}"#);
    let request: pb::CreateSnapshotRequest =
        asked("PUT", "/v1/projects/p/snapshots/n", r#"{"subscription":"projects/p/subscriptions/s"}"#);
    assert_eq!(
        (request.name.as_str(), request.subscription.as_str()),
        ("projects/p/snapshots/n", "projects/p/subscriptions/s")
    );
}

#[test]
fn a_schema_is_a_body_beside_its_id_in_the_query() {
    let target = "/v1/projects/p/schemas?schemaId=s1";
    let request: pb::CreateSchemaRequest = asked("POST", target, r#"{"type":"AVRO","definition":"{}"}"#);
    assert_eq!((request.parent.as_str(), request.schema_id.as_str()), ("projects/p", "s1"));
    let schema = request.schema.unwrap();
    assert_eq!((schema.r#type(), schema.definition.as_str()), (pb::schema::Type::Avro, "{}"));
    refused("POST", "/v1/projects/p/schemas?schemaId=s1&schema.definition=x", "{}");
}

#[test]
fn the_query_fills_fields_in_either_spelling() {
    for query in ["pageSize=2&pageToken=a%2Fb+c&view=FULL", "page_size=2&page_token=a/b%20c&view=2"] {
        let request: pb::ListSchemasRequest = asked("GET", &format!("/v1/projects/p/schemas?{query}"), "");
        assert_eq!((request.page_size, request.page_token.as_str(), request.view), (2, "a/b c", 2), "{query}");
    }
    let target = "/v1/projects/p/topics/t:getIamPolicy?options.requestedPolicyVersion=3";
    let request: iam::GetIamPolicyRequest = asked("GET", target, "");
    assert_eq!(request.options.unwrap().requested_policy_version, 3);
    let target = "/v1/projects/p/topics/t:testIamPermissions?permissions=a&permissions=b";
    assert_eq!(asked::<iam::TestIamPermissionsRequest>("POST", target, "").permissions, ["a", "b"]);
    let target =
        "/v1/projects/p/topics/t?updateMask=labels&topic.satisfiesPzs=true&topic.messageRetentionDuration=1.5s";
    let request: pb::UpdateTopicRequest = asked("PATCH", target, "");
    assert_eq!(request.update_mask, Some(FieldMask { paths: vec!["labels".to_owned()] }));
    let topic = request.topic.unwrap();
    assert_eq!(topic.message_retention_duration, Some(prost_types::Duration { seconds: 1, nanos: 500_000_000 }));
    assert!(topic.satisfies_pzs);
}

#[test]
fn a_query_that_fits_no_field_is_refused_by_name() {
    for (query, named) in [
        ("colour=red", "colour"),
        ("pageSize.colour=1", "pageSize.colour"),
        ("pageSize=many", "pageSize"),
        ("pageSize=1&pageSize=2", "pageSize"),
        ("view=SOME", "view"),
        ("pageToken=%f", "pageToken"),
        ("parent=projects/q", "parent"),
    ] {
        let why = refused("GET", &format!("/v1/projects/p/schemas?{query}"), "");
        assert!(why.contains(named), "{query}: {why}");
    }
    refused("POST", "/v1/projects/p/subscriptions/s:pull?maxMessages=1", r#"{"maxMessages":2}"#);
    refused("PUT", "/v1/projects/p/topics/t?labels=a", "");
    refused("PUT", "/v1/projects/p/topics/t?labels.a=b", "");
}

#[test]
fn parameters_of_the_system_are_passed_over() {
    let system = "$alt=json;enum-encoding=int&alt=json%3Benum-encoding%3Dint&$.xgafv=2&key=k&access_token=t&prettyPrint=\
                  false&fields=name&quotaUser=q&uploadType=u&$prettyPrint&&";
    let call = sent("GET", &format!("/v1/projects/p/topics?{system}"), "").unwrap();
    assert!(call.enums_as_numbers);
    assert!(!sent("GET", "/v1/projects/p/topics?alt=json", "").unwrap().enums_as_numbers);
    assert_eq!(sent("GET", "/v1/projects/p/topics?alt=proto", "").unwrap_err().code, Code::Unimplemented);
}

#[test]
fn data_comes_in_both_alphabets_of_base64() {
    for data in ["_-8=", "_-8", "/+8=", "/+8"] {
        let body = format!(r#"{{"messages":[{{"data":"{data}","attributes":null,"ordering_key":"k"}}]}}"#);
        let request: pb::PublishRequest = asked("POST", "/v1/projects/p/topics/t:publish", &body);
        assert_eq!(request.messages[0].data, [0xff, 0xef], "{data}");
        assert_eq!(request.messages[0].ordering_key, "k");
    }
}

#[test]
fn what_is_no_json_of_the_request_is_refused() {
    let publish = "/v1/projects/p/topics/t:publish";
    for (body, named) in [
        (r#"{"messages":[{"colour":"red"}]}"#, "colour"),
        (r#"{"messages":[{"data":"*"}]}"#, "base64"),
        (r#"{"messages":"#, "EOF"),
        (r#"{"messages":{}}"#, "list"),
        ("[]", "map"),
        ("{} {}", "trailing"),
        ("\u{feff}{}", "expected value"),
    ] {
        let why = refused("POST", publish, body);
        assert!(why.starts_with("Invalid JSON payload received.") && why.contains(named), "{body}: {why}");
    }
    let many = format!(r#"{{"messages":[{}{{}}]}}"#, "{},".repeat(JSON_VALUES));
    assert!(refused("POST", publish, &many).contains("more than"));
    let deep = format!(r#"{{"messages":{}"#, "[".repeat(100_000));
    refused("POST", publish, &deep);
    refused("GET", "/v1/projects/p/topics/t", r#"{"topic":"x"}"#);
    assert!(sent("DELETE", "/v1/projects/p/topics/t", "{}").is_ok());
}

#[test]
fn a_full_publish_request_is_not_too_many_values() {
    let attributes: Vec<String> = (0..100).map(|i| format!(r#""k{i}":"v""#)).collect();
    let message = format!(r#"{{"data":"YQ==","orderingKey":"k","attributes":{{{}}}}}"#, attributes.join(","));
    let body = format!(r#"{{"messages":[{}]}}"#, vec![message; 1000].join(","));
    let request: pb::PublishRequest = asked("POST", "/v1/projects/p/topics/t:publish", &body);
    assert_eq!(request.messages.len(), 1000);
}

fn paths() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        "/v1/projects/[/a-z:%0-9]{0,40}",
        "/v1/projects/p/(topics|subscriptions|snapshots|schemas)(/[a-z%0-9]{0,4})?(:[a-zA-Z]{0,18})?",
        (0..ROUTES.len()).prop_map(|line| ROUTES[line].example()),
    ]
}

fn bodies() -> impl Strategy<Value = String> {
    let field = "\"(name|topic|labels|messages|data|schema|type|ttl|time|updateMask|permissions|x)\"";
    let leaf = prop_oneof![
        Just("null".to_owned()),
        "-?[0-9]{1,25}(\\.[0-9]{1,3})?(e[0-9]{1,3})?",
        "\"\\PC{0,12}\"",
        "\"-?[0-9]{1,22}(\\.[0-9]{1,12})?s\"",
        "\"[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\"",
        Just("true".to_owned()),
    ];
    let json = leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec((field, inner), 0..6).prop_map(|fields| {
                let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("{name}:{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    });
    prop_oneof![json, "\\PC{0,60}", Just(String::new())]
}

proptest! {
    #[test]
    fn no_request_panics(
        verb in "GET|PUT|POST|PATCH|DELETE|[A-Z]{0,4}",
        path in paths(),
        query in "\\PC{0,40}|((pageSize|view|labels|topic\\.name|schema\\.type|updateMask|time|\\$alt|options)=[a-z0-9%:;.]{0,8}&){0,3}",
        body in bodies(),
    ) {
        // Either way is fine.
        let _ = transcode(&verb, &path, &query, body.as_bytes());
    }
}
