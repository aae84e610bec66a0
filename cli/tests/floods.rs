//! Clients that mean no good, over real sockets, against a gateway that is a process of its own: they are cut off, cost no more memory
//! than its limits say, and keep nobody else from being answered.
#![cfg(target_os = "linux")]

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use identity::DevelopmentKey;
use identity::development::{Bearer, CLOUD_VARIABLES};
use runtime::clock;
use runtime::doors::{audience, on_this_machine};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Bad clients at once: both processes stay below 1,024 open files.
const CLIENTS: usize = 600;
/// Of whom so many connect at the same moment.
const KNOCKING: usize = 16;
/// The gateway's limits, in bytes (`producers/gateway/src/service.rs`, `door.rs`).
const HEAD: u64 = 24 * 1024;
const BODY: u64 = 64 * 1024;
/// What a connection costs beside what is read from it, in bytes: its task, its socket's wrapper, the growth of buffers by doubling.
const CONNECTION: u64 = 40 * 1024;
/// What comes and goes whoever calls, in bytes: arenas of the allocator, tables, the log.
const SLACK: u64 = 8 * 1024 * 1024;
/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(120);

struct Gateway {
    process: Child,
    address: SocketAddr,
    token: String,
    knocking: Semaphore,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Gateway {
    async fn start(folder: &Path) -> Self {
        let key = DevelopmentKey::open_or_make(folder).expect("a key");
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
        let audience = audience("gateway");
        let bearer = Bearer { subject: "anna", audience: &audience, scope: Some("orders:write"), ..Bearer::default() };
        let token = key.sign(&bearer, clock::now_ms() / 1_000, 3_600).expect("a token");
        let process = command.spawn().expect("boutique runs");
        let gateway = Self { process, address, token, knocking: Semaphore::new(KNOCKING) };
        gateway.until_it_answers().await;
        gateway
    }

    async fn until_it_answers(&self) {
        let answers = async {
            while !self
                .say(&[b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_vec()])
                .await
                .contains("200 OK")
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answers).await.expect("the gateway answers");
    }

    /// Sends pieces for as long as the gateway takes them, and reads what it says until it hangs up.
    async fn say(&self, pieces: &[Vec<u8>]) -> String {
        // A crowd at once overruns the queue of the listener; of whom the system forgets there the gateway has never heard.
        let turn = self.knocking.acquire().await.expect("the semaphore is never closed");
        let Ok(mut stream) = TcpStream::connect(self.address).await else { return String::new() };
        drop(turn);
        for piece in pieces {
            if stream.write_all(piece).await.is_err() {
                break;
            }
        }
        let mut answer = Vec::new();
        // It may hang up while something of ours is still on its way, which shows as an error.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Resident memory, in bytes.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a process has memory");
        line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok()).expect("a number") * 1024
    }

    /// Has all clients do `what` at once; asserts what each was told, and that the gateway grew by no more than `each` bytes a client.
    async fn attack(self: &Arc<Self>, name: &str, each: u64, pieces: Vec<Vec<u8>>, told: impl Fn(&str) -> bool) {
        let before = self.resident();
        let (peak, over) = (Arc::new(AtomicU64::new(before)), Arc::new(AtomicBool::new(false)));
        let watch = {
            let (gateway, peak, over) = (Arc::clone(self), Arc::clone(&peak), Arc::clone(&over));
            tokio::task::spawn_blocking(move || {
                while !over.load(Ordering::Relaxed) {
                    peak.fetch_max(gateway.resident(), Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(5));
                }
            })
        };
        let pieces = Arc::new(pieces);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (gateway, pieces) = (Arc::clone(self), Arc::clone(&pieces));
                tokio::spawn(async move { gateway.say(&pieces).await })
            })
            .collect();
        // In the middle of it, somebody with a request is answered.
        self.until_it_answers().await;
        for client in clients {
            let answer =
                tokio::time::timeout(PATIENCE, client).await.expect("every client is cut off").expect("a client");
            assert!(told(&answer), "{name}: {answer:?}");
        }
        over.store(true, Ordering::Relaxed);
        watch.await.expect("watching does not panic");
        let (grown, allowed) = (peak.load(Ordering::Relaxed).saturating_sub(before), CLIENTS as u64 * each + SLACK);
        println!(
            "{name:<34} {CLIENTS} clients: {:>5} KiB resident before, +{:>5} KiB at most, {:>6} KiB allowed",
            before / 1024,
            grown / 1024,
            allowed / 1024
        );
        assert!(grown <= allowed, "{name}: grew by {grown} bytes, {allowed} are allowed");
    }
}

fn head(rest: &str) -> Vec<u8> {
    format!("POST /v1/orders HTTP/1.1\r\nhost: gateway\r\n{rest}").into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_clients_are_cut_off_without_costing_more_than_the_limits_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = Arc::new(Gateway::start(folder.path()).await);
    let token = format!("authorization: Bearer {}\r\n", gateway.token);
    let as_it_came = |answer: &str| answer.is_empty();

    // What a first crowd makes the allocator fetch is not what an attack costs.
    let polite = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_vec();
    gateway.attack("polite clients", CONNECTION, vec![polite], |answer| answer.contains("200 OK")).await;

    let half_head = head(&format!("x-long: {}", "x".repeat(20 * 1024)));
    gateway.attack("half-open heads", HEAD + CONNECTION, vec![half_head], as_it_came).await;
    gateway.attack("connections without a byte", CONNECTION, vec![], as_it_came).await;

    let half_body = vec![head(&format!("{token}content-length: 60000\r\n\r\n")), vec![b' '; 40_000]];
    gateway
        .attack("half-sent bodies", HEAD + BODY + CONNECTION, half_body, |answer| {
            answer.contains("408 Request Timeout")
        })
        .await;
    let unknown = vec![head("content-length: 60000\r\n\r\n"), vec![b' '; 40_000]];
    gateway
        .attack("half-sent bodies without a token", HEAD + CONNECTION, unknown, |answer| {
            answer.contains("401") || answer.is_empty()
        })
        .await;

    let header = |number: usize| format!("x-{number}: {}\r\n", "x".repeat(1_000)).into_bytes();
    let flood = [head("")].into_iter().chain((0..2_000).map(header)).collect();
    gateway
        .attack("2 MB of headers", HEAD + CONNECTION, flood, |answer| answer.contains("431") || answer.is_empty())
        .await;
    let many = head(&"x: 1\r\n".repeat(100)).into_iter().chain(*b"\r\n").collect();
    gateway
        .attack("100 short headers", HEAD + CONNECTION, vec![many], |answer| {
            answer.contains("431") || answer.is_empty()
        })
        .await;

    let huge = [head(&format!("{token}content-length: 10000000\r\n\r\n"))]
        .into_iter()
        .chain((0..100).map(|_| vec![b' '; 100_000]));
    gateway
        .attack("10 MB of body, announced", HEAD + CONNECTION, huge.collect(), |answer| {
            answer.contains("413") || answer.is_empty()
        })
        .await;
    let chunk = || [b"186a0\r\n".to_vec(), vec![b' '; 100_000], b"\r\n".to_vec()].concat();
    let endless =
        [head(&format!("{token}transfer-encoding: chunked\r\n\r\n"))].into_iter().chain((0..100).map(|_| chunk()));
    gateway
        .attack("10 MB of body, in chunks", HEAD + BODY + CONNECTION, endless.collect(), |answer| {
            answer.contains("413") || answer.is_empty()
        })
        .await;
    gateway.until_it_answers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_comes_byte_by_byte_is_cut_off_however_steadily_it_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let gateway = Gateway::start(folder.path()).await;
    let mut streams = Vec::new();
    for _ in 0..CLIENTS {
        let mut stream = TcpStream::connect(gateway.address).await.expect("it listens");
        stream.write_all(&head("x-slow: ")).await.expect("it takes a first piece");
        streams.push(stream);
    }
    // A byte each, again and again: whoever can still send after twenty rounds of 200 ms was not cut off after 2 s.
    for _ in 0..20 {
        for stream in &mut streams {
            // Who is cut off finds out here or below.
            let _ = stream.write_all(b"x").await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for mut stream in streams {
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(Duration::from_millis(100), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "a slow client is still connected");
    }
    gateway.until_it_answers().await;
}
