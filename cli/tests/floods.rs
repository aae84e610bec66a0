//! Clients that mean no good, over real sockets, against a gateway that is a process of its own: they are cut off, cost no more memory
//! than its limits say, and keep nobody else from being answered.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use identity::DevelopmentKey;
use identity::development::{Bearer, CLOUD_VARIABLES};
use runtime::clock;
use runtime::doors::{audience, on_this_machine};
use runtime::server::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Bad clients at once: both processes stay below 1,024 open files.
const CLIENTS: usize = 600;
/// So many of them make a crowd of one kind.
const MOST: usize = CLIENTS / 2;
/// So many of them connect at the same moment.
const KNOCKING: usize = 16;
/// Clients that do not read: what lies in the system's buffers for each of them is megabytes, on one machine.
const DEAF: usize = 16;
/// The gateway's limits, in bytes (`producers/gateway/src/service.rs`, `door.rs`).
const HEAD: u64 = 24 * 1024;
const BODY: u64 = 64 * 1024;
/// What a connection costs beside what is read from it, in bytes: its task, its socket's wrapper, the growth of buffers by doubling.
const CONNECTION: u64 = 40 * 1024;
/// What comes and goes whoever calls, in bytes: arenas of the allocator, tables, the log.
const SLACK: u64 = 8 * 1024 * 1024;
/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(120);
/// Another network than the bad clients'.
const ELSEWHERE: [u8; 4] = [127, 0, 0, 2];
/// Less than the gateway's time for a head: who is cut off earlier was not for that.
const SOON: Duration = Duration::from_secs(1);

/// How many were told what: the status, or nothing at all.
type Told = BTreeMap<String, usize>;

struct Gateway {
    process: Child,
    address: SocketAddr,
    knocking: Semaphore,
    accepted: AtomicUsize,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The header of somebody who may place orders.
fn token(folder: &Path) -> String {
    let key = DevelopmentKey::open_or_make(folder).expect("a key");
    let audience = audience("gateway");
    let bearer = Bearer { subject: "anna", audience: &audience, scope: Some("orders:write"), ..Bearer::default() };
    let token = key.sign(&bearer, clock::now_ms() / 1_000, 3_600).expect("a token");
    format!("authorization: Bearer {token}\r\n")
}

impl Gateway {
    async fn start(folder: &Path) -> Arc<Self> {
        DevelopmentKey::open_or_make(folder).expect("a key");
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let mut command = Command::new(env!("CARGO_BIN_EXE_boutique"));
        for name in CLOUD_VARIABLES {
            command.env_remove(name);
        }
        command
            .args(["serve", "gateway"])
            .envs(on_this_machine(folder, "127.0.0.1:1"))
            .env("BOUTIQUE_LISTEN", address.to_string())
            .env("RUST_LOG", "error")
            .env("BOUTIQUE_HEAD_TIMEOUT_MS", "2000")
            .env("BOUTIQUE_BODY_TIMEOUT_MS", "3000")
            // What is measured is what stands behind these two.
            .env("BOUTIQUE_CONNECTIONS_PER_ADDRESS", "2048")
            .env("BOUTIQUE_RATE_ADDRESS_PER_S", "1000000")
            .env("BOUTIQUE_RATE_ADDRESS_BURST", "1000000")
            .env("BOUTIQUE_RATE_CUSTOMER_PER_S", "1000000")
            .env("BOUTIQUE_RATE_CUSTOMER_BURST", "1000000")
            .stdin(Stdio::null());
        let process = command.spawn().expect("boutique runs");
        let gateway = Self { process, address, knocking: Semaphore::new(KNOCKING), accepted: AtomicUsize::default() };
        let listens = async {
            while TcpStream::connect(gateway.address).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, listens).await.expect("the gateway listens");
        gateway.answers_others().await;
        Arc::new(gateway)
    }

    /// Somebody elsewhere, who wants what is not for probes only, gets it.
    async fn answers_others(&self) {
        let asked = async {
            let mut stream = self.socket(ELSEWHERE).connect(self.address).await.expect("it listens");
            let request = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
            stream.write_all(request).await.expect("it takes a request");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("it answers in text");
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        };
        timeout(PATIENCE, asked).await.expect("it answers");
    }

    fn socket(&self, from: [u8; 4]) -> TcpSocket {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((from, 0).into()).expect("an address of this machine");
        socket
    }

    /// A bad client's connection. Whom nobody lets in has attacked nobody.
    async fn connect(&self, socket: TcpSocket) -> TcpStream {
        // A crowd at once overruns the queue of the listener; of whom the system forgets there the gateway has never heard.
        let _turn = self.knocking.acquire().await.expect("the semaphore is never closed");
        let stream = socket.connect(self.address).await.expect("the gateway accepts connections");
        self.accepted.fetch_add(1, Ordering::Relaxed);
        stream
    }

    /// Sends pieces for as long as the gateway takes them, and reads what it says until it hangs up.
    async fn say(&self, pieces: &[Vec<u8>]) -> String {
        let mut stream = self.connect(self.socket([127, 0, 0, 1])).await;
        for piece in pieces {
            if stream.write_all(piece).await.is_err() {
                break;
            }
        }
        let mut answer = Vec::new();
        // It may hang up while something of ours is still on its way, which shows as an error.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or(&answer).to_owned()
    }

    /// Resident memory, in bytes.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a process has memory");
        line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok()).expect("a number") * 1024
    }

    /// Has so many clients do `what` at once; asserts that all were let in, that in the middle of it somebody else was answered, and that
    /// the gateway grew by no more than `each` bytes a client. What the clients were told is counted.
    async fn suffers<F>(self: &Arc<Self>, name: &str, clients: usize, each: u64, what: impl Fn(Arc<Self>) -> F) -> Told
    where
        F: Future<Output = String> + Send + 'static,
    {
        let before = self.resident();
        let peak = Arc::new(AtomicU64::new(before));
        let watch = {
            let (gateway, peak) = (Arc::clone(self), Arc::clone(&peak));
            tokio::spawn(async move {
                loop {
                    peak.fetch_max(gateway.resident(), Ordering::Relaxed);
                    sleep(Duration::from_millis(5)).await;
                }
            })
        };
        let crowd: Vec<_> = (0..clients).map(|_| tokio::spawn(what(Arc::clone(self)))).collect();
        sleep(SOON).await;
        self.answers_others().await;
        let mut told = Told::new();
        for client in crowd {
            let answer = timeout(PATIENCE, client).await.expect("every client is cut off").expect("a client");
            *told.entry(answer).or_default() += 1;
        }
        assert!(!watch.is_finished(), "{name}: the gateway has ended");
        watch.abort();
        let (grown, allowed) = (peak.load(Ordering::Relaxed).saturating_sub(before), clients as u64 * each + SLACK);
        println!(
            "{name:<34} {clients} clients: {:>5} KiB resident before, +{:>5} KiB at most, {:>6} KiB allowed, told {told:?}",
            before / 1024,
            grown / 1024,
            allowed / 1024
        );
        assert!(grown <= allowed, "{name}: grew by {grown} bytes, {allowed} are allowed");
        assert_eq!(self.accepted.load(Ordering::Relaxed), clients, "{name}: clients that were let in");
        told
    }
}

/// An attack on a gateway of its own: what one before has left in the allocator would hide what this one costs.
async fn attack(folder: &Path, name: &str, each: u64, pieces: Vec<Vec<u8>>) -> Told {
    let (gateway, pieces) = (Gateway::start(folder).await, Arc::new(pieces));
    gateway
        .suffers(name, CLIENTS, each, |gateway| {
            let pieces = Arc::clone(&pieces);
            async move { gateway.say(&pieces).await }
        })
        .await
}

/// The same, where nobody is to be told anything: that it is not because nobody was listened to shows in the time it takes.
async fn silent_attack(folder: &Path, name: &str, each: u64, pieces: Vec<Vec<u8>>) {
    let (gateway, pieces) = (Gateway::start(folder).await, Arc::new(pieces));
    let told = gateway.suffers(name, CLIENTS, each, |gateway| {
        let pieces = Arc::clone(&pieces);
        async move {
            let mut said = Box::pin(gateway.say(&pieces));
            match timeout(SOON, &mut said).await {
                Ok(_) => "too soon".to_owned(),
                Err(_) => said.await,
            }
        }
    });
    assert_eq!(told.await, Told::from([(String::new(), CLIENTS)]), "{name}");
}

/// Asserts that nobody was told anything but `answer` and what is in `others`, and that at least `most` were told `answer`. With much on
/// its way to a gateway that hangs up, the answer may be lost with it; not to more than one in ten.
fn only(told: &Told, answer: &str, most: usize, others: &[&str]) {
    let known = |said: &String| said.is_empty() || said == answer || others.contains(&said.as_str());
    assert!(told.keys().all(known), "{told:?}");
    assert!(told.get(answer).is_some_and(|count| *count >= most), "{told:?}");
    assert!(told.get("").is_none_or(|count| *count <= CLIENTS / 10), "{told:?}");
}

fn head(rest: &str) -> Vec<u8> {
    format!("POST /v1/orders HTTP/1.1\r\nhost: gateway\r\n{rest}").into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_clients_are_cut_off_without_costing_more_than_the_limits_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let token = token(folder);

    let polite = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_vec();
    only(&attack(folder, "polite clients", CONNECTION, vec![polite]).await, "200", CLIENTS, &[]);

    let half_head = head(&format!("x-long: {}", "x".repeat(20 * 1024)));
    silent_attack(folder, "half-open heads", HEAD + CONNECTION, vec![half_head]).await;
    silent_attack(folder, "connections without a byte", CONNECTION, vec![]).await;

    let half_body = vec![head(&format!("{token}content-length: 60000\r\n\r\n")), vec![b' '; 40_000]];
    let told = attack(folder, "half-sent bodies", HEAD + BODY + CONNECTION, half_body).await;
    // Of one network so many are listened to; the others are sent away at once.
    let share = Limits::default().requests_per_network;
    only(&told, "408", share, &["503"]);
    assert!(told.contains_key("503"), "{told:?}");
    let unknown = vec![head("content-length: 60000\r\n\r\n"), vec![b' '; 40_000]];
    only(&attack(folder, "half-sent bodies without a token", HEAD + CONNECTION, unknown).await, "401", MOST, &["503"]);

    let header = |number: usize| format!("x-{number}: {}\r\n", "x".repeat(1_000)).into_bytes();
    let flood = [head("")].into_iter().chain((0..2_000).map(header)).collect();
    only(&attack(folder, "2 MB of headers", HEAD + CONNECTION, flood).await, "431", MOST, &[]);
    let many = head(&"x: 1\r\n".repeat(100)).into_iter().chain(*b"\r\n").collect();
    only(&attack(folder, "100 short headers", HEAD + CONNECTION, vec![many]).await, "431", MOST, &[]);

    let huge = [head(&format!("{token}content-length: 10000000\r\n\r\n"))]
        .into_iter()
        .chain((0..100).map(|_| vec![b' '; 100_000]));
    let told = attack(folder, "10 MB of body, announced", HEAD + CONNECTION, huge.collect()).await;
    only(&told, "413", MOST, &["503"]);
    let chunk = || [b"186a0\r\n".to_vec(), vec![b' '; 100_000], b"\r\n".to_vec()].concat();
    let endless =
        [head(&format!("{token}transfer-encoding: chunked\r\n\r\n"))].into_iter().chain((0..100).map(|_| chunk()));
    let told = attack(folder, "10 MB of body, in chunks", HEAD + BODY + CONNECTION, endless.collect()).await;
    only(&told, "413", MOST, &["503"]);
}

/// Asks and asks, until it is cut off.
async fn ask_on(stream: &mut (impl AsyncWriteExt + Unpin)) {
    let requests = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    while stream.write_all(&requests).await.is_ok() {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_what_was_asked_for_or_reads_it_byte_by_byte_is_cut_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let deaf = |gateway: Arc<Gateway>| async move {
        ask_on(&mut gateway.connect(gateway.socket([127, 0, 0, 1])).await).await;
        String::new()
    };
    let dripping = |gateway: Arc<Gateway>| async move {
        let socket = gateway.socket([127, 0, 0, 1]);
        socket.set_recv_buffer_size(4 * 1024).expect("a small buffer");
        let (mut answers, mut requests) = gateway.connect(socket).await.into_split();
        let drip = async {
            let mut drop = [0; 400];
            while answers.read_exact(&mut drop).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        // Whichever notices first.
        tokio::select! {
            () = ask_on(&mut requests) => (),
            () = drip => (),
        }
        String::new()
    };
    let (one, other) = (Gateway::start(folder.path()).await, Gateway::start(folder.path()).await);
    tokio::join!(
        one.suffers("answers that nobody reads", DEAF, HEAD + CONNECTION, deaf),
        other.suffers("answers that are read byte by byte", DEAF, HEAD + CONNECTION, dripping),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_comes_byte_by_byte_is_cut_off_however_steadily_it_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = Gateway::start(folder.path()).await;
    let mut streams = Vec::new();
    for _ in 0..CLIENTS {
        let mut stream = gateway.connect(gateway.socket([127, 0, 0, 1])).await;
        stream.write_all(&head("x-slow: ")).await.expect("it takes a first piece");
        streams.push(stream);
    }
    // A byte each, again and again: whoever can still send after twenty rounds of 200 ms was not cut off after 2 s.
    for _ in 0..20 {
        for stream in &mut streams {
            // Who is cut off finds out here or below.
            let _ = stream.write_all(b"x").await;
        }
        sleep(Duration::from_millis(200)).await;
    }
    for mut stream in streams {
        let mut answer = Vec::new();
        let ended = timeout(Duration::from_millis(100), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "a slow client is still connected");
    }
    gateway.answers_others().await;
}
