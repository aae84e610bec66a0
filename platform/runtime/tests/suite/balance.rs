//! A service at several addresses: some answer, some do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::routing::get;
use bytes::Bytes;
use runtime::Peer;
use runtime::server::Server;
use serde_json::Value;
use tokio::net::TcpListener;

/// One copy of a service: answers `status` and counts.
async fn copy(status: u16) -> (Server, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let answer = get(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async move { (StatusCode::from_u16(status).unwrap(), "1") }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (Server::start(listener, Router::new().route("/", answer)).unwrap(), calls)
}

fn peer(copies: &[&Server]) -> Peer {
    let addresses: Vec<String> = copies.iter().map(|copy| format!("http://{}", copy.address())).collect();
    Peer::new("copies", &addresses.join(","), Duration::from_secs(10))
}

#[tokio::test]
async fn every_copy_of_a_service_gets_calls() {
    let ((one, first), (two, second)) = (copy(200).await, copy(200).await);
    let peer = peer(&[&one, &two]);
    for _ in 0..100 {
        assert_eq!(peer.get::<Value>("/").await.unwrap(), 1);
    }
    let (first, second) = (first.load(Ordering::Relaxed), second.load(Ordering::Relaxed));
    assert!(first + second == 100 && first > 20 && second > 20, "{first}, {second}");
}

#[tokio::test]
async fn a_copy_that_cannot_is_left_alone_and_calls_that_may_be_repeated_do_not_notice() {
    let ((good, _), (bad, to_bad)) = (copy(200).await, copy(503).await);
    let gone = {
        let (server, _) = copy(200).await;
        let address = server.address();
        server.stop().await;
        format!("http://{address}")
    };
    let addresses = format!("http://{}, {gone} ,http://{}/", bad.address(), good.address());
    let peer = Peer::new("copies", &addresses, Duration::from_secs(10));
    for _ in 0..200 {
        assert_eq!(peer.get::<Value>("/").await.unwrap(), 1);
    }
    let calls = to_bad.load(Ordering::Relaxed);
    // Three failures in a row, and a try again after each time aside; 200 calls last a few of these at most.
    assert!((3..20).contains(&calls), "{calls} calls of 200 went to the copy that cannot");
}

#[tokio::test]
async fn a_call_that_may_not_be_repeated_is_made_once() {
    let (bad, calls) = copy(503).await;
    let (other, others) = copy(503).await;
    let peer = peer(&[&bad, &other]);
    let (status, _) = peer.raw(Method::GET, "/", Bytes::new()).await.unwrap();
    assert_eq!(status, 503);
    assert_eq!(calls.load(Ordering::Relaxed) + others.load(Ordering::Relaxed), 1);
}
