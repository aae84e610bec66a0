//! The page of metrics, as a service serves it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use events::pubsub::Message;
use http::{HeaderMap, Method, StatusCode};
use runtime::{Base, Consumer, Doors, Foundation, Identity, Peer, Publishing, Service};
use store::Database;
use testkit::{SimulatedBus, event};

use crate::fixture::{Invoice, MIGRATIONS, cancelled};
use crate::push::wrapped;

#[tokio::test]
async fn deliveries_dead_letters_and_the_age_of_the_outbox_are_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let bus = Arc::new(SimulatedBus::default());
    let base = Base {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        database: Database::Sqlite { path: folder.path().join("metrics.db") },
        bus: Arc::clone(&bus) as _,
        identity: Identity::open_house(),
    };
    let foundation = Foundation::open("accounting", &base, MIGRATIONS, Publishing::WithinRequest).unwrap();
    let transactor = foundation.transactor.clone();
    let service = Service::new(foundation, Doors::new()).consumer(Consumer::new("accounting").on(Invoice));
    let running = service.start(base.listen).await.unwrap();
    let peer = Peer::new("accounting", &format!("http://{}", running.address()), Duration::from_secs(10));
    let push = async |order: &str| {
        let body = wrapped(&Message::from(event(cancelled(order)).from("oms").seal())).to_string();
        peer.forward(Method::POST, "/", HeaderMap::new(), body.into()).await.unwrap().status
    };
    for (order, status) in [("O1", 204), ("O1", 204), ("never", 204), ("later", 503)] {
        assert_eq!(push(order).await, status, "{order}");
    }
    bus.refuse(true);
    assert_eq!(push("O2").await, 204);
    let two_hours = "UPDATE outbox SET created_at_ms = created_at_ms - 7200000 WHERE sent_at_ms IS NULL";
    transactor.store().write(0, |tx| tx.execute(two_hours, &[])).await.unwrap();

    let reply = peer.forward(Method::GET, "/-/metrics", HeaderMap::new(), Bytes::new()).await.unwrap();
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let page = String::from_utf8(reply.body.to_vec()).unwrap();
    let of = |outcome: &str| {
        format!("boutique_deliveries_total{{service=\"accounting\",consumer=\"accounting\",outcome=\"{outcome}\"}}")
    };
    for (line, count) in [
        (of("handled"), "2"),
        (of("duplicate"), "1"),
        (of("permanent"), "1"),
        (of("transient"), "1"),
        ("boutique_dead_letters_total{service=\"accounting\",consumer=\"accounting\"}".to_owned(), "1"),
        ("boutique_delivery_seconds_count{service=\"accounting\",consumer=\"accounting\"}".to_owned(), "5"),
    ] {
        assert!(page.lines().any(|each| each == format!("{line} {count}")), "{line} {count} is not in\n{page}");
    }
    let age = page
        .lines()
        .find_map(|line| line.strip_prefix("boutique_outbox_oldest_unsent_seconds{service=\"accounting\"} "));
    let age: f64 = age.unwrap().parse().unwrap();
    assert!((7_200.0..7_300.0).contains(&age), "{age} s");
    running.stop().await;
}
