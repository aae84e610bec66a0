//! The server's limits and its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use bytes::Bytes;
use futures::stream;
use runtime::server::{Limits, Server};
use runtime::{Peer, Problem, RequestId, body};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::time::sleep;

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

/// A server of small limits: echoes bodies of at most 1,000 bytes, holds `/wait` until told, tells who asks.
async fn small(limits: Limits) -> (Server, Arc<Notify>) {
    let leave = Arc::new(Notify::new());
    let waiting = Arc::clone(&leave);
    let router = Router::new()
        .route("/", post(|body: Body| async { body::read(body, 1_000).await }))
        .route("/health", get(|| async { "ok" }))
        .route("/who", get(|ConnectInfo(from): ConnectInfo<SocketAddr>| async move { from.to_string() }))
        .route("/name", get(|headers: HeaderMap| async move { headers["x-request-id"].to_str().unwrap().to_owned() }))
        .route("/problem", get(|| async { Problem::not_found("thing") }))
        .route("/wait", get(move || async move { waiting.notified().await }));
    (Server::with(listen().await, router, limits).unwrap(), leave)
}

/// What the server says to `request` before it closes the connection.
async fn said(server: &Server, request: &[u8]) -> String {
    let mut client = TcpStream::connect(server.address()).await.unwrap();
    // The server may hang up before it has read everything.
    let _ = client.write_all(request).await;
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_byte_by_byte_is_cut_off() {
    let (server, _) = small(Limits::default()).await;
    let mut client = TcpStream::connect(server.address()).await.unwrap();
    client.write_all(b"GET /health HTTP/1.1\r\nhost: ").await.unwrap();
    let mut sent = 0;
    while client.write_all(b"x").await.is_ok() {
        sent += 1;
        assert!(sent < 60, "it may go on for ever");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_is_closed_at_its_start_and_later_on() {
    let (server, _) = small(Limits::default()).await;
    assert_eq!(said(&server, b"").await, "");
    let answer = said(&server, b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stays_away_is_answered_408_and_the_connection_closed() {
    let (server, _) = small(Limits::default()).await;
    for request in ["content-length: 100\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let answer = said(&server, format!("POST / HTTP/1.1\r\nhost: x\r\n{request}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"code\":\"too_slow\""), "{answer}");
    }
}

#[tokio::test]
async fn a_large_body_is_refused_before_it_comes_and_an_endless_one_when_it_is_too_much() {
    let (server, _) = small(Limits::default()).await;
    // Nothing of the body is sent: it is refused for what it says of itself, and is not asked for by a 100.
    let head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1001\r\nexpect: 100-continue\r\n\r\n";
    let answer = said(&server, head).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let chunk = format!("3e8\r\n{}\r\n", "x".repeat(1_000));
    let endless = format!("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{chunk}");
    let answer = said(&server, endless.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn too_many_or_too_long_headers_are_refused() {
    let (server, _) = small(Limits { head_bytes: 8 * 1024, headers: 20, ..Limits::default() }).await;
    let many: String = (0..21).map(|number| format!("x-{number}: 1\r\n")).collect();
    let long = format!("x-long: {}\r\n", "x".repeat(9 * 1024));
    for headers in [many, long] {
        let answer = said(&server, format!("GET /health HTTP/1.1\r\n{headers}\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}

#[tokio::test]
async fn a_network_has_so_many_connections_and_no_more() {
    let (server, _) = small(Limits { connections_per_network: 2, ..Limits::default() }).await;
    let hello = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut client = TcpStream::connect(server.address()).await.unwrap();
        client.write_all(hello).await.unwrap();
        let mut first = [0; 12];
        client.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        held.push(client);
    }
    assert_eq!(said(&server, hello).await, "", "the third is closed");
    let all =
        Limits { connections_per_network: 0, unlimited: Arc::new(|from| from.is_loopback()), ..Limits::default() };
    let (server, _) = small(all).await;
    let once = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert!(said(&server, once).await.starts_with("HTTP/1.1 200"), "a proxy has no such limit");
}

#[tokio::test]
async fn one_request_too_many_is_answered_503_and_health_all_the_same() {
    let (server, leave) = small(Limits { requests: 1, ..Limits::default() }).await;
    let mut waiting = TcpStream::connect(server.address()).await.unwrap();
    waiting.write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let peer = Peer::new("small", &format!("http://{}", server.address()), Duration::from_secs(5));
    let refused = loop {
        let reply = peer.forward(axum::http::Method::GET, "/who", HeaderMap::new(), bytes::Bytes::new()).await.unwrap();
        if reply.status == 503 {
            break reply;
        }
    };
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(serde_json::from_slice::<Value>(&refused.body).unwrap()["code"], "overloaded");
    let health = peer.raw(axum::http::Method::GET, "/health", bytes::Bytes::new()).await.unwrap();
    assert_eq!(health.0, 200);
    leave.notify_one();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A client in the network of `address`, which is this machine's.
#[cfg(target_os = "linux")]
async fn connect_from(address: [u8; 4], server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((address, 0).into()).unwrap();
    socket.connect(server.address()).await.unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_network_that_holds_its_share_with_half_sent_bodies_keeps_nobody_else_out() {
    let limits = Limits { requests: 8, requests_per_network: 4, ..Limits::default() };
    let (one, other) = ([127, 0, 0, 1], [127, 0, 0, 2]);
    // Whoever is admitted is asked for the body.
    let head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\nexpect: 100-continue\r\n\r\n";
    let (server, _) = small(limits.clone()).await;
    let (mut held, mut said) = (Vec::new(), Vec::new());
    for _ in 0..8 {
        let mut client = connect_from(one, &server).await;
        client.write_all(head).await.unwrap();
        let mut first = [0; 12];
        client.read_exact(&mut first).await.unwrap();
        said.push(String::from_utf8(first[9..].to_vec()).unwrap());
        held.push(client);
    }
    assert_eq!(said, ["100", "100", "100", "100", "503", "503", "503", "503"]);

    let ask = async |from: [u8; 4], path: &str| {
        let mut client = connect_from(from, &server).await;
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let refused = ask(one, "/who").await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(refused.contains("\"code\":\"overloaded\""), "{refused}");
    assert!(ask(one, "/health").await.starts_with("HTTP/1.1 200"));
    assert!(ask(other, "/who").await.starts_with("HTTP/1.1 200"), "another network has room");
    drop(held);
    while !ask(one, "/who").await.starts_with("HTTP/1.1 200") {
        tokio::task::yield_now().await;
    }

    let behind_a_proxy = Limits { unlimited: Arc::new(|from| from.is_loopback()), ..limits };
    let (server, _) = small(behind_a_proxy).await;
    let mut held = Vec::new();
    for _ in 0..8 {
        let mut client = connect_from(one, &server).await;
        client.write_all(head).await.unwrap();
        let mut first = [0; 12];
        client.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 100", "behind a proxy is everybody");
        held.push(client);
    }
}

/// A server that says `piece` so many times, each after `pause`, over sockets that keep little to themselves, and a client that has asked.
async fn saying(piece: &'static [u8], times: usize, pause: Duration) -> (Server, TcpStream) {
    // More than systems keep for a connection at the least, so that what is read by then shows.
    let limits = Limits { write_bytes: 256 * 1024, ..Limits::default() };
    let route = get(move || async move {
        let pieces = stream::unfold(0, move |said| async move {
            sleep(pause).await;
            (said < times).then(|| (Ok::<_, std::io::Error>(Bytes::from_static(piece)), said + 1))
        });
        Body::from_stream(pieces)
    });
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(8 * 1024).unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let server = Server::with(socket.listen(8).unwrap(), Router::new().route("/", route), limits).unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let mut client = socket.connect(server.address()).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    (server, client)
}

/// How many bytes `client` gets that reads `bytes` a second, virtual as time is; an hour at most.
async fn read_slowly(mut client: TcpStream, bytes: usize) -> usize {
    let (mut piece, mut read) = (vec![0; bytes], 0);
    for _ in 0..3_600 {
        sleep(Duration::from_secs(1)).await;
        let mut taken = 0;
        while taken < bytes {
            match client.read(&mut piece[taken..]).await {
                Ok(0) | Err(_) => return read + taken,
                Ok(more) => taken += more,
            }
        }
        read += taken;
    }
    panic!("{read} bytes, and it may go on for ever");
}

static LONG: [u8; 8 * 1024] = [b'x'; 8 * 1024];

#[tokio::test(start_paused = true)]
async fn who_reads_an_answer_too_slowly_is_cut_off_and_who_reads_it_slowly_is_not() {
    let (_server, client) = saying(&LONG, 500, Duration::ZERO).await;
    // Some of it is taken again and again, 120 KB in the time for 256.
    let read = read_slowly(client, 4_000).await;
    assert!(read < 1_000_000, "{read} bytes");
    let (_server, client) = saying(&LONG, 500, Duration::ZERO).await;
    assert!(read_slowly(client, 20_000).await > 500 * LONG.len());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_ends_its_connection() {
    let (_server, mut client) = saying(&LONG, 500, Duration::ZERO).await;
    // Longer than an answer may lie; what comes after is what was on its way.
    sleep(Duration::from_secs(40)).await;
    let mut answer = Vec::new();
    // It may end with a reset.
    let _ = client.read_to_end(&mut answer).await;
    assert!(answer.len() < 1_000_000, "{} bytes", answer.len());
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_events_with_long_pauses_is_heard_to_its_end() {
    let (_server, mut client) = saying(b"event: fact\n\n", 60, Duration::from_secs(29)).await;
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer.matches("event: fact").count(), 60, "half an hour of it");
}

#[tokio::test]
async fn a_request_has_one_name_in_its_handler_its_answer_its_problem_and_the_calls_made_for_it() {
    let (server, _) = small(Limits::default()).await;
    let ask = |path: &str, id: &str| format!("GET {path} HTTP/1.1\r\nx-request-id: {id}\r\nconnection: close\r\n\r\n");
    let answer = said(&server, ask("/name", "mine-1").as_bytes()).await;
    assert!(answer.contains("x-request-id: mine-1\r\n") && answer.ends_with("mine-1"), "{answer}");
    let answer = said(&server, ask("/problem", "mine-2").as_bytes()).await;
    assert!(answer.contains("\"requestId\":\"mine-2\""), "{answer}");
    let answer = said(&server, ask("/name", "not sane").as_bytes()).await;
    assert!(answer.contains("x-request-id: ") && !answer.contains("not sane"), "{answer}");

    let peer = Peer::new("small", &format!("http://{}", server.address()), Duration::from_secs(5));
    let headers = HeaderMap::from_iter([("x-request-id".parse().unwrap(), "mine-3".parse().unwrap())]);
    let call = RequestId::of(&headers).within(peer.raw(axum::http::Method::GET, "/name", bytes::Bytes::new()));
    assert_eq!(call.await.unwrap().1, "mine-3");
}

#[tokio::test]
async fn a_handler_is_told_the_clients_address() {
    let (server, _) = small(Limits::default()).await;
    let answer = said(&server, b"GET /who HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    assert!(answer.contains("127.0.0.1:"), "{answer}");
}
