//! `boutique broker` as a child: started, asked, killed with SIGKILL, started again on the same data and port.

use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use runtime::clock::Stopwatch;
use serde_json::Value;
use tonic::transport::{Channel, Endpoint};

/// How long a start, or any one answer, may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a starting broker is asked.
const ASK_EVERY: Duration = Duration::from_millis(2);
/// Ports that no system gives to clients by itself: while the broker is down, a client of it that was given the
/// broker's port would be connected to itself.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// Where a broker lives.
pub(crate) struct Home {
    pub(crate) data: PathBuf,
    log: PathBuf,
    address: SocketAddr,
    client: Client<HttpConnector, Empty<Bytes>>,
}

/// A broker that runs. Dropped, it is killed.
pub(crate) struct Broker {
    child: Child,
    /// From its making to its first answer.
    pub(crate) started_in: Duration,
}

impl Home {
    /// A data folder below `folder`, and a port of its own. What the broker prints goes to a file beside.
    pub(crate) fn below(folder: &Path) -> Home {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Home { data: folder.join("data"), log: folder.join("broker.log"), address: free_address(), client }
    }

    /// Starts a broker and waits for its first answer.
    pub(crate) async fn start(&self) -> Broker {
        let watch = Stopwatch::start();
        let log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_boutique"));
        command.args(["broker", "--fast", "--host-port", &self.address.to_string(), "--data"]).arg(&self.data);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut broker = Broker { child: command.spawn().unwrap(), started_in: Duration::ZERO };
        while self.stats().await.is_none() {
            if let Some(status) = broker.child.try_wait().unwrap() {
                panic!("the broker ended ({status}):\n{}", self.said());
            }
            assert!(watch.elapsed() < PATIENCE, "the broker does not answer:\n{}", self.said());
            tokio::time::sleep(ASK_EVERY).await;
        }
        broker.started_in = watch.elapsed();
        broker
    }

    /// What `GET /stats` answers, if anything does.
    pub(crate) async fn stats(&self) -> Option<Value> {
        let url = format!("http://{}/stats", self.address).parse().unwrap();
        let answer = tokio::time::timeout(PATIENCE, self.client.get(url)).await.ok()?.ok()?;
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        serde_json::from_slice(&body).ok()
    }

    /// A way to the broker that outlasts it.
    pub(crate) fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        endpoint.timeout(PATIENCE).connect_timeout(PATIENCE).connect_lazy()
    }

    /// What the brokers printed.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Broker {
    pub(crate) fn kill_9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended by itself, or have been killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> SocketAddr {
    let mut dice = fastrand::Rng::new();
    std::iter::repeat_with(|| SocketAddr::from((Ipv4Addr::LOCALHOST, dice.u16(PORTS))))
        .take(1_000)
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("one port of thousands is free")
}
