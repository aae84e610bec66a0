//! A push endpoint on a socket. Written by hand: it must also answer what HTTP libraries do not let out, 102 say.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::engine::Inbox;

/// Listens for as long as the test runs, and gives its URL. `elapsed_ms` is the clock.
pub(super) async fn listen(inbox: Arc<Inbox>, elapsed_ms: impl Fn() -> u64 + Clone + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/push", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A connection that breaks is one push that failed.
            tokio::spawn(serve(stream, Arc::clone(&inbox), elapsed_ms.clone()));
        }
    });
    url
}

async fn serve(stream: TcpStream, inbox: Arc<Inbox>, elapsed_ms: impl Fn() -> u64) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(body) = request(&mut stream).await? {
        let Some(status) = inbox.arrive(elapsed_ms(), serde_json::from_slice(&body)?) else {
            // No answer: the connection stays open until the other side gives up.
            return stream.read_to_end(&mut Vec::new()).await.map(drop);
        };
        let rest = if status == 204 || status < 200 { "" } else { "content-length: 0\r\n" };
        stream.write_all(format!("HTTP/1.1 {status} Said\r\n{rest}\r\n").as_bytes()).await?;
    }
    Ok(())
}

/// The body of the next request; `None` when the connection is over.
async fn request(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Vec<u8>>> {
    let (mut bytes, mut chunked) = (0, false);
    for number in 0.. {
        let line = line(stream).await?;
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match (name.to_ascii_lowercase().as_str(), value.trim()) {
            ("", _) if number == 0 => return Ok(None),
            ("", _) => break,
            ("content-length", value) => bytes = value.parse().unwrap(),
            ("transfer-encoding", value) => chunked = value.eq_ignore_ascii_case("chunked"),
            ("expect", _) => stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?,
            _ => {}
        }
    }
    let mut body = Vec::new();
    loop {
        if chunked {
            bytes = usize::from_str_radix(&line(stream).await?, 16).unwrap();
        }
        let start = body.len();
        body.resize(start + bytes, 0);
        stream.read_exact(&mut body[start..]).await?;
        if !chunked {
            return Ok(Some(body));
        }
        line(stream).await?;
        if bytes == 0 {
            return Ok(Some(body));
        }
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    Ok(line.trim_end().to_owned())
}
