//! Limits that hold: over real connections, under many clients, whatever their headers say.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use gateway::{Config, Proxies, Rate};
use http_body_util::BodyExt;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use runtime::Identity;
use runtime::clock::Stopwatch;

use crate::world::World;

const CLIENTS: u32 = 64;
const PER_SECOND: u32 = 100;
const BURST: u32 = 100;
/// Requests admitted before the clients stop: some seconds at the rate, so that an answer that comes late is a small part of it.
const ENOUGH: u32 = 800;
/// One at a time: 64 clients are to have the machine for themselves.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// What 64 clients were told.
struct Outcome {
    admitted: u32,
    refused: u32,
    /// From before the first request until the last one admitted was answered.
    elapsed: Duration,
}

struct Client(SendRequest<Body>);

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    async fn get(&mut self, path: &str, headers: &[(&str, String)]) -> (u16, HeaderMap) {
        let mut request = Request::get(path).header("host", "gateway");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        self.0.ready().await.unwrap();
        let response = self.0.send_request(request.body(Body::empty()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        body.collect().await.unwrap();
        (head.status.as_u16(), head.headers)
    }
}

/// Has 64 clients send as fast as they can until enough was admitted.
async fn hammer(
    world: &World,
    headers: impl Fn(u32, u32) -> Vec<(&'static str, String)> + Send + Sync + 'static,
) -> Outcome {
    let _alone = ALONE.lock().await;
    let nobody = Identity::open_house();
    let gateway = gateway::start("127.0.0.1:0".parse().unwrap(), world.config.clone(), &nobody).await.unwrap();
    let headers = Arc::new(headers);
    let outcome = Arc::new(Mutex::new(Outcome { admitted: 0, refused: 0, elapsed: Duration::ZERO }));
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client::connect(gateway.address()).await);
    }
    let watch = Stopwatch::start();
    let tasks = clients.into_iter().zip(0..).map(|(mut client, number)| {
        let (outcome, headers) = (Arc::clone(&outcome), Arc::clone(&headers));
        tokio::spawn(async move {
            for count in 0.. {
                let (status, answered) = client.get("/v1/nothing", &headers(number, count)).await;
                assert!(answered.contains_key("ratelimit-remaining"), "{status} {answered:?}");
                let mut outcome = outcome.lock().unwrap();
                if outcome.admitted >= ENOUGH {
                    return;
                }
                if status == 429 {
                    assert!(answered.contains_key("retry-after"));
                    outcome.refused += 1;
                } else {
                    outcome.admitted += 1;
                    outcome.elapsed = watch.elapsed();
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    gateway.stop().await;
    Arc::into_inner(outcome).unwrap().into_inner().unwrap()
}

/// Within 5 % of what the rate allows in this time; and that is less than what was sent.
fn assert_held(Outcome { admitted, refused, elapsed }: &Outcome) {
    let allowed = f64::from(PER_SECOND) * elapsed.as_secs_f64() + f64::from(BURST);
    let share = f64::from(*admitted) / allowed;
    println!("{admitted} admitted, {refused} refused in {elapsed:?}; {allowed:.0} allowed: {:.1} %", share * 100.0);
    assert!(refused > admitted, "the clients were too slow to be limited");
    assert!((0.95..=1.05).contains(&share), "{admitted} admitted in {elapsed:?}, {allowed:.0} allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_addresss_limit_holds_under_64_clients_whatever_they_say_where_they_come_from() {
    let world = World::with(|config| config.rates.address = Rate::new(PER_SECOND, BURST)).await;
    let forged = |client: u32, count: u32| {
        let address = format!("203.{}.{}.{}", client, count >> 8 & 255, count & 255);
        let forwarded = format!("for={address}");
        vec![("x-forwarded-for", address.clone()), ("x-real-ip", address), ("forwarded", forwarded)]
    };
    assert_held(&hammer(&world, forged).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subjects_limit_holds_under_64_clients() {
    let world = World::with(|config| config.rates.customer = Rate::new(PER_SECOND, BURST)).await;
    // Tokens of one subject, each another.
    let tokens: Vec<String> =
        (0..CLIENTS).map(|number| world.clients.token("anna", &format!("orders:read x{number}"))).collect();
    let headers =
        move |client: u32, _| vec![("authorization", format!("Bearer {}", tokens[usize::try_from(client).unwrap()]))];
    assert_held(&hammer(&world, headers).await);
}

#[tokio::test]
async fn each_client_behind_our_proxy_has_its_own_limit_and_cannot_borrow_anothers() {
    let ours = |config: &mut Config| {
        config.rates.address = Rate::new(1, 2);
        config.proxies = Proxies::parse("127.0.0.0/8", gateway::Forwarding::XForwardedFor).unwrap();
    };
    let world = World::with(ours).await;
    let nobody = Identity::open_house();
    let gateway = gateway::start("127.0.0.1:0".parse().unwrap(), world.config.clone(), &nobody).await.unwrap();
    let mut client = Client::connect(gateway.address()).await;
    let mut from = async |list: &str| client.get("/docs", &[("x-forwarded-for", list.to_owned())]).await.0;
    assert_eq!([from("192.0.2.1").await, from("192.0.2.1").await, from("192.0.2.1").await], [200, 200, 429]);
    assert_eq!(from("192.0.2.2").await, 200, "another client");
    assert_eq!(from("192.0.2.99, 192.0.2.1").await, 429, "what it wrote itself is further left");
    assert_eq!(
        [from("2001:db8::1").await, from("2001:db8::2").await, from("2001:db8::3").await],
        [200, 200, 429],
        "one /64"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn what_is_left_and_when_to_come_again_is_told() {
    let world = World::with(|config| config.rates.customer = Rate::new(1, 2)).await;
    let left = async || {
        let answer = world.get_as("anna", "/v1/nothing").await;
        let header =
            |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        (answer.status, ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after"].map(header))
    };
    assert_eq!(left().await, (404, ["2", "1", "1", ""].map(str::to_owned)));
    assert_eq!(left().await, (404, ["2", "0", "2", ""].map(str::to_owned)));
    let (status, [limit, remaining, _, again]) = left().await;
    assert_eq!((status, limit.as_str(), remaining.as_str(), again.as_str()), (429, "2", "0", "1"));
    assert_eq!(world.get_as("bert", "/v1/nothing").await.status, 404, "everybody has a limit of their own");
    assert_eq!(world.get("/v1/nothing").await.status, 404, "staff has another");
}
