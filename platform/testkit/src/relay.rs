//! A TCP relay between two who speak HTTP: it can pass, refuse, fall silent, be slow, or cut an answer off.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Bytes carried at a time.
const CHUNK_BYTES: usize = 16 * 1024;
/// How long to wait before a port is bound again that was not free.
const BIND_PAUSE: Duration = Duration::from_millis(10);
/// How requests begin that are counted.
const METHODS: [&[u8]; 5] = [b"GET ", b"POST ", b"PUT ", b"DELETE ", b"PATCH "];

/// What the relay does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Everything passes.
    Whole,
    /// Nobody listens: connections are refused, and those there are break.
    Refused,
    /// Connections are taken and stay, and nothing passes any more: what a network does that drops packets.
    Silent,
    /// Everything passes, each part after so many milliseconds.
    Slow(u64),
    /// The connection breaks after so many bytes of an answer.
    CutAfter(usize),
}

/// A relay on a port of its own.
pub struct Relay {
    address: SocketAddr,
    wire: watch::Sender<Wire>,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicU64,
    requests: AtomicU64,
}

impl Relay {
    /// Listens on a free port and passes everything on to `behind`.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn before(behind: SocketAddr) -> std::io::Result<Relay> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (wire, state) = watch::channel(Wire::Whole);
        let counts = Arc::<Counts>::default();
        let task = tokio::spawn(listen(listener, address, behind, state, Arc::clone(&counts)));
        Ok(Relay { address, wire, counts, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does something else from now on, with the connections there are, too.
    pub fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }

    /// Connections taken so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.counts.connections.load(Ordering::Relaxed)
    }

    /// Requests that came from the caller's side so far, passed on or not.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.counts.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(
    listener: TcpListener,
    address: SocketAddr,
    behind: SocketAddr,
    mut state: watch::Receiver<Wire>,
    counts: Arc<Counts>,
) {
    let mut listener = Some(listener);
    // Dropped with this task, and with them every connection.
    let mut connections = JoinSet::new();
    loop {
        if *state.borrow_and_update() == Wire::Refused {
            listener = None;
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        tokio::select! {
            changed = state.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            accepted = accept(listener.as_ref()) => {
                if let Some(client) = accepted {
                    counts.connections.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(connection(client, behind, state.clone(), Arc::clone(&counts)));
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// The next connection. Without a listener, one that should be there is tried again after a pause.
async fn accept(listener: Option<&TcpListener>) -> Option<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(stream, _)| stream),
        None => {
            tokio::time::sleep(BIND_PAUSE).await;
            None
        }
    }
}

async fn connection(client: TcpStream, behind: SocketAddr, state: watch::Receiver<Wire>, counts: Arc<Counts>) {
    let Some(service) = reach(behind, state.clone()).await else { return };
    // Nagle's algorithm only delays; a socket that refuses the option still works.
    let _ = (client.set_nodelay(true), service.as_ref().map(|service| service.set_nodelay(true)));
    let (mut from_client, mut to_client) = client.into_split();
    let Some(service) = service else {
        // Silent from the start: read what comes, so that it is counted, and say nothing.
        let mut nowhere = tokio::io::sink();
        let _ = carry(&mut from_client, &mut nowhere, state, Some(&counts)).await;
        return;
    };
    let (mut from_service, mut to_service) = service.into_split();
    tokio::select! {
        () = carry(&mut from_client, &mut to_service, state.clone(), Some(&counts)) => {}
        () = carry(&mut from_service, &mut to_client, state, None) => {}
    }
}

/// The service behind; `Some(None)` while the wire is silent, `None` when the connection is to break.
async fn reach(behind: SocketAddr, state: watch::Receiver<Wire>) -> Option<Option<TcpStream>> {
    match *state.borrow() {
        Wire::Refused => return None,
        Wire::Silent => return Some(None),
        Wire::Whole | Wire::Slow(_) | Wire::CutAfter(_) => {}
    }
    TcpStream::connect(behind).await.ok().map(Some)
}

/// Carries one direction until it ends or the wire breaks it. `counts` are given for the direction of requests.
async fn carry(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    mut state: watch::Receiver<Wire>,
    counts: Option<&Counts>,
) {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut carried = 0;
    loop {
        let wire = *state.borrow_and_update();
        let read = tokio::select! {
            // A change comes first: what arrives after it meets the new wire.
            biased;
            changed = state.changed() => {
                if changed.is_err() || *state.borrow() == Wire::Refused { return }
                continue;
            }
            read = from.read(&mut chunk) => read,
        };
        let Ok(count @ 1..) = read else { return };
        if let Some(counts) = counts
            && METHODS.iter().any(|method| chunk[..count].starts_with(method))
        {
            counts.requests.fetch_add(1, Ordering::Relaxed);
        }
        let mut left = count;
        match wire {
            Wire::Refused => return,
            Wire::Silent => {
                // Swallowed, as are all packets of this connection: it would not make sense to either side afterwards.
                silence(from, &mut state, counts).await;
                return;
            }
            Wire::Slow(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Wire::CutAfter(bytes) if counts.is_none() => left = count.min(bytes.saturating_sub(carried)),
            Wire::Whole | Wire::CutAfter(_) => {}
        }
        carried += left;
        if to.write_all(&chunk[..left]).await.is_err() || left < count {
            return;
        }
    }
}

/// Reads and drops, and counts what it reads, until the other side goes away or the wire refuses.
async fn silence(from: &mut (impl AsyncReadExt + Unpin), state: &mut watch::Receiver<Wire>, counts: Option<&Counts>) {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = tokio::select! {
            biased;
            changed = state.changed() => {
                if changed.is_err() || *state.borrow() == Wire::Refused { return }
                continue;
            }
            read = from.read(&mut chunk) => read,
        };
        let Ok(count @ 1..) = read else { return };
        if let Some(counts) = counts
            && METHODS.iter().any(|method| chunk[..count].starts_with(method))
        {
            counts.requests.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers every request with the same ten bytes.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut chunk = [0; 64];
                    while let Ok(1..) = client.read(&mut chunk).await {
                        client.write_all(b"0123456789").await.unwrap();
                    }
                });
            }
        });
        address
    }

    /// Asks once on a connection: what came before it ended, or `None` when nothing came in time.
    async fn ask(stream: &mut TcpStream, bytes: usize) -> Option<Vec<u8>> {
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.ok()?;
        let mut answer = vec![0; bytes];
        let mut filled = 0;
        let read = async {
            while filled < bytes {
                match stream.read(&mut answer[filled..]).await {
                    Ok(count @ 1..) => filled += count,
                    _ => break,
                }
            }
        };
        tokio::time::timeout(Duration::from_millis(300), read).await.ok()?;
        answer.truncate(filled);
        Some(answer)
    }

    #[tokio::test]
    async fn what_passes_is_unchanged_and_counted() {
        let relay = Relay::before(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        for _ in 0..3 {
            assert_eq!(ask(&mut stream, 10).await.as_deref(), Some(&b"0123456789"[..]));
        }
        assert_eq!((relay.connections(), relay.requests()), (1, 3));
    }

    #[tokio::test]
    async fn a_refusing_relay_breaks_what_is_there_and_can_pass_again() {
        let relay = Relay::before(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        assert!(ask(&mut stream, 10).await.is_some());
        relay.set(Wire::Refused);
        assert_eq!(ask(&mut stream, 10).await.unwrap_or_default(), b"");
        assert!(TcpStream::connect(relay.address()).await.is_err());
        relay.set(Wire::Whole);
        let mut again = loop {
            if let Ok(stream) = TcpStream::connect(relay.address()).await {
                break stream;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(ask(&mut again, 10).await.as_deref(), Some(&b"0123456789"[..]));
    }

    #[tokio::test]
    async fn a_silent_relay_takes_connections_counts_requests_and_answers_nothing() {
        let relay = Relay::before(echo().await).await.unwrap();
        let mut before = TcpStream::connect(relay.address()).await.unwrap();
        assert!(ask(&mut before, 10).await.is_some());
        relay.set(Wire::Silent);
        let mut after = TcpStream::connect(relay.address()).await.unwrap();
        assert_eq!((ask(&mut before, 10).await, ask(&mut after, 10).await), (None, None));
        assert_eq!(relay.requests(), 3);
    }

    #[tokio::test]
    async fn an_answer_is_cut_off_in_its_middle() {
        let relay = Relay::before(echo().await).await.unwrap();
        relay.set(Wire::CutAfter(4));
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        assert_eq!(ask(&mut stream, 10).await.as_deref(), Some(&b"0123"[..]));
    }

    #[tokio::test]
    async fn a_slow_relay_takes_its_time() {
        let relay = Relay::before(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        relay.set(Wire::Slow(1_000));
        assert_eq!(ask(&mut stream, 10).await, None, "a second there and a second back");
    }
}
