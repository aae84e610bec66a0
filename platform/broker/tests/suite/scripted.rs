//! An endpoint below HTTP: every connection is a script of bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use google_cloud_googleapis::pubsub::v1 as pb;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

pub(crate) struct Scripted {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Scripted {
    /// Runs the script on each connection, with the connection's number from 0.
    pub(crate) async fn new<F, Play>(script: F) -> Scripted
    where
        F: Fn(usize, TcpStream) -> Play + Send + 'static,
        Play: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/push", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(script(counted.fetch_add(1, Ordering::SeqCst), stream));
            }
        });
        Scripted { url, connections }
    }

    pub(crate) fn config(&self) -> pb::PushConfig {
        pb::PushConfig { push_endpoint: self.url.clone(), ..Default::default() }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads one request and gives its body. `None` when the connection is over.
pub(crate) async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(body.to_owned());
            }
        }
        let mut more = [0; 4096];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => read.extend_from_slice(&more[..n]),
        }
    }
}

/// Answers every request of a connection with these bytes.
pub(crate) async fn answer_all(mut stream: TcpStream, answer: &[u8]) {
    while request(&mut stream).await.is_some() {
        stream.write_all(answer).await.unwrap();
    }
}
