//! The server's limits and its end.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use runtime::server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

async fn listen() -> TcpListener {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap()
}

#[tokio::test]
async fn a_request_under_way_is_finished_and_a_new_connection_refused() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let route = {
        let (entered, leave) = (Arc::clone(&entered), Arc::clone(&leave));
        get(move || async move {
            entered.notify_one();
            leave.notified().await;
            "done"
        })
    };
    let server = Server::start(listen().await, Router::new().route("/", route)).unwrap();
    let address = server.address();
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    entered.notified().await;

    let stopping = tokio::spawn(server.stop());
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    leave.notify_one();

    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
    stopping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_finishes_its_head_is_cut_off() {
    let server = Server::start(listen().await, Router::new().route("/", get(|| async { "hello" }))).unwrap();
    let mut client = TcpStream::connect(server.address()).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    // Time is virtual: it jumps to the server's deadline once nothing else can happen.
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}
