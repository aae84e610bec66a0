//! The warehouse against a server that answers what the test says.
#![allow(clippy::unwrap_used, reason = "tests stop on errors")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bigquery::{BigQuery, OpenError};
use broker::warehouse::{Appended, BadRow, Column, Mode, Row, TableName, Trouble, Type, Warehouse};
use broker::{Broker, Settings};
use bytes::Bytes;
use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::publisher_client::PublisherClient;
use google_cloud_googleapis::pubsub::v1::subscriber_client::SubscriberClient;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

const INSERT: &str = "POST /bigquery/v2/projects/p/datasets/d/tables/t/insertAll";
const GET: &str = "GET /bigquery/v2/projects/p/datasets/d/tables/t";

#[derive(Default)]
struct Script {
    answers: VecDeque<(u16, String)>,
    /// Method and path, and the body.
    asked: Vec<(String, Value)>,
}

/// A server that answers as scripted, and 500 when the script ends.
struct Server {
    url: String,
    script: Arc<Mutex<Script>>,
}

impl Server {
    async fn new(answers: Vec<(u16, Value)>) -> Server {
        let server = Server::silent().await;
        server.then(answers);
        server
    }

    async fn silent() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script: Arc<Mutex<Script>> = Arc::default();
        let shared = Arc::clone(&script);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let script = Arc::clone(&shared);
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let script = Arc::clone(&script);
                    async move {
                        let asked = format!("{} {}", request.method(), request.uri().path());
                        let body = request.into_body().collect().await?.to_bytes();
                        let mut script = script.lock().unwrap();
                        script.asked.push((asked, serde_json::from_slice(&body).unwrap_or(Value::Null)));
                        let (status, text) = script.answers.pop_front().unwrap_or((500, "end of script".to_owned()));
                        let answer = Response::builder().status(status).body(Full::new(Bytes::from(text))).unwrap();
                        Ok::<_, hyper::Error>(answer)
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Server { url, script }
    }

    fn then(&self, answers: Vec<(u16, Value)>) {
        let texts = answers.into_iter().map(|(status, body)| (status, body.to_string()));
        self.script.lock().unwrap().answers.extend(texts);
    }

    fn asked(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.script.lock().unwrap().asked)
    }

    async fn client(&self) -> BigQuery {
        BigQuery::open(&self.url).await.unwrap()
    }
}

fn table(fields: &Value) -> (u16, Value) {
    let reference = json!({"projectId": "p", "datasetId": "d", "tableId": "t"});
    (200, json!({"kind": "bigquery#table", "type": "TABLE", "tableReference": reference, "schema": {"fields": fields}}))
}

fn error(code: u16, reason: &str) -> (u16, Value) {
    let inner = json!({"reason": reason, "message": "no", "domain": "global"});
    (code, json!({"error": {"code": code, "message": "no", "errors": [inner], "status": "X"}}))
}

fn name() -> TableName {
    "p.d.t".parse().unwrap()
}

fn row(id: &str, data: impl Into<Value>) -> Row {
    Row { insert_id: id.to_owned(), columns: Map::from_iter([("data".to_owned(), data.into())]) }
}

#[tokio::test]
async fn a_table_is_looked_up_once_and_again_after_rows_were_refused() {
    let fields = json!([
        {"name": "data", "type": "STRING", "mode": "REQUIRED", "description": "x"},
        {"name": "n", "type": "INT64"},
        {"name": "r", "type": "RECORD", "mode": "REPEATED", "fields": [{"name": "b", "type": "BIGNUMERIC"}]},
    ]);
    let refused = json!({"insertErrors": [{"index": 0, "errors": [{"reason": "invalid"}]}]});
    let server = Server::new(vec![table(&fields), (200, refused), table(&fields)]).await;
    let client = server.client().await;

    let found = client.look_up(&name()).await.unwrap();

    assert_eq!(found.columns[0], Column::new("data", Type::String, Mode::Required));
    assert_eq!(found.columns[1].kind, Type::Integer);
    assert_eq!(found.columns[2].fields[0].kind, Type::BigNumeric);
    assert!(Arc::ptr_eq(&found, &client.look_up(&name()).await.unwrap()));
    client.append(&name(), &[row("1", "a")]).await;
    assert!(Arc::ptr_eq(&found, &client.look_up(&name()).await.unwrap()), "nothing changed");
    let asked: Vec<String> = server.asked().into_iter().map(|(asked, _)| asked).collect();
    assert_eq!(asked, [GET, INSERT, GET]);
}

#[tokio::test]
async fn rows_are_sent_with_their_ids_and_great_integers_as_strings() {
    let server = Server::new(vec![(200, json!({"kind": "x", "insertErrors": []}))]).await;
    let rows = [row("7-1", "a"), row("8-1", json!({"n": [9_007_199_254_740_993_i64, 5]}))];

    assert_eq!(server.client().await.append(&name(), &rows).await, Appended::Written);

    let (asked, body) = server.asked().remove(0);
    assert_eq!(asked, INSERT);
    let sent = json!([
        {"insertId": "7-1", "json": {"data": "a"}},
        {"insertId": "8-1", "json": {"data": {"n": ["9007199254740993", 5]}}},
    ]);
    assert_eq!(
        (&body["rows"], &body["skipInvalidRows"], &body["ignoreUnknownValues"]),
        (&sent, &json!(false), &json!(false))
    );
}

#[tokio::test]
async fn of_row_errors_those_are_bad_that_are_not_only_stopped() {
    let errors = json!({"insertErrors": [
        {"index": 0, "errors": [{"reason": "stopped", "location": "", "message": ""}]},
        {"index": 1, "errors": [{"reason": "invalid", "location": "n", "message": "no such field: n."}]},
    ]});
    let stopped = json!({"insertErrors": [{"index": 0, "errors": [{"reason": "stopped"}]}]});
    let server = Server::new(vec![(200, errors), (200, stopped)]).await;
    let client = server.client().await;
    let bad = BadRow { index: 1, reason: "n: invalid: no such field: n.".to_owned() };
    assert_eq!(client.append(&name(), &[row("1", "a"), row("2", "b")]).await, Appended::Bad(vec![bad]));
    let outcome = client.append(&name(), &[row("1", "a")]).await;
    assert!(matches!(outcome, Appended::Failed(Trouble::Unavailable(_))), "{outcome:?}");
}

#[tokio::test]
async fn more_than_a_request_holds_goes_in_several_and_indices_stay_those_of_all() {
    let refused = json!({"insertErrors": [{"index": 0, "errors": [{"reason": "invalid"}]}]});
    let server = Server::new(vec![(200, json!({})), (200, refused), error(413, "x")]).await;
    let client = server.client().await;
    let big = "x".repeat(5_000_000);
    let outcome = client.append(&name(), &[row("1", big.as_str()), row("2", big.as_str()), row("3", "c")]).await;
    assert!(matches!(&outcome, Appended::Bad(bad) if bad[0].index == 1), "{outcome:?}");
    let counts: Vec<usize> = server.asked().iter().map(|(_, body)| body["rows"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [1, 2]);
    let outcome = client.append(&name(), &[row("4", big.repeat(3).as_str())]).await;
    assert!(matches!(&outcome, Appended::Bad(bad) if bad[0].index == 0), "{outcome:?}");
}

#[tokio::test]
async fn answers_that_are_no_success_say_what_kind_of_trouble_it_is() {
    let view = (
        200,
        json!({"type": "VIEW", "tableReference": {"projectId": "p", "datasetId": "d", "tableId": "t"}, "schema": {}}),
    );
    let cases = [
        (error(404, "notFound"), "not there"),
        (error(403, "accessDenied"), "permission denied"),
        (error(401, "authError"), "permission denied"),
        (error(400, "invalid"), "schema mismatch"),
        (view, "schema mismatch"),
        (error(403, "rateLimitExceeded"), "unavailable"),
        (error(503, "backendError"), "unavailable"),
        ((502, json!("not what an error looks like")), "unavailable"),
    ];
    for (answer, wanted) in cases {
        let server = Server::new(vec![answer.clone(), answer]).await;
        let client = server.client().await;
        let trouble = client.look_up(&name()).await.unwrap_err();
        assert!(trouble.to_string().contains(wanted), "{trouble}");
        match client.append(&name(), &[row("1", "a")]).await {
            Appended::Failed(again) => assert!(again.to_string().contains(wanted), "{again}"),
            other => assert!(server.asked().len() == 2 && other == Appended::Written, "{other:?}"),
        }
    }
    let nobody = BigQuery::open("http://127.0.0.1:1").await.unwrap();
    assert!(matches!(nobody.look_up(&name()).await, Err(Trouble::Unavailable(_))));
    assert!(matches!(BigQuery::open("127.0.0.1:1").await, Err(OpenError::Endpoint(_))));
}

#[tokio::test]
async fn a_subscription_writes_through_a_broker_and_waits_while_the_endpoint_has_trouble() {
    let fields = json!([{"name": "data", "type": "STRING"}]);
    let server = Server::new(vec![table(&fields)]).await;
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        data: directory.path().to_owned(),
        fast: true,
        warehouse: Some(Arc::new(server.client().await)),
        ..Settings::default()
    };
    let broker = Broker::start(settings).await.unwrap();
    let address = format!("http://{}", broker.address());
    let (topic, subscription) = ("projects/p/topics/orders", "projects/p/subscriptions/orders.bq");
    let mut publisher = PublisherClient::connect(address.clone()).await.unwrap();
    let mut subscriber = SubscriberClient::connect(address).await.unwrap();
    publisher.create_topic(pb::Topic { name: topic.to_owned(), ..Default::default() }).await.unwrap();
    let bigquery = pb::BigQueryConfig { table: "p.d.t".to_owned(), ..Default::default() };
    let config = pb::Subscription {
        name: subscription.to_owned(),
        topic: topic.to_owned(),
        bigquery_config: Some(bigquery),
        ..Default::default()
    };
    subscriber.create_subscription(config).await.unwrap();
    let written = (200, json!({}));
    server.then(vec![error(503, "backendError"), table(&fields), error(404, "notFound"), table(&fields), written]);

    let messages = vec![pb::PubsubMessage { data: b"a".to_vec(), ..Default::default() }];
    let published = publisher.publish(pb::PublishRequest { topic: topic.to_owned(), messages }).await.unwrap();

    let patience = tokio::time::timeout(Duration::from_secs(20), async {
        while broker.stats().subscriptions[0].backlog > 0 {
            tokio::task::yield_now().await;
        }
    });
    patience.await.unwrap();
    let inserts: Vec<Value> =
        server.asked().into_iter().filter(|(asked, _)| asked == INSERT).map(|(_, body)| body).collect();
    assert_eq!(inserts.len(), 3);
    assert!(
        inserts.iter().all(|body| body["rows"] == inserts[0]["rows"]),
        "the same row with the same id: {inserts:?}"
    );
    let id = &published.into_inner().message_ids[0];
    assert!(inserts[0]["rows"][0]["insertId"].as_str().unwrap().starts_with(id.as_str()));
    let figures = &broker.stats().subscriptions[0];
    assert_eq!((figures.nacked, figures.acked), (0, 1));
    broker.shutdown().await;
}
