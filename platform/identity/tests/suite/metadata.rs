//! Google's metadata server, played by a router. Time is data here, for it as well.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode};
use identity::Signer;
use identity::limits::{NO_TOKEN_PAUSE_S, TOKEN_LEAST_S, TOKEN_RENEW_PAUSE_S, TOKEN_RENEW_S};
use serde_json::json;
use testkit::{Served, TestKey, serve as on_a_port};

use crate::{AUDIENCE, NOW_S};

const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";
/// Seconds a token of it lives, and before its end for how many it no longer gives it out.
const LIFE_S: i64 = 3_600;
const LAST_S: i64 = 300;

#[derive(Clone)]
struct Metadata(Arc<Inner>);

struct Inner {
    /// Those there are while nobody asks: connections are kept by nobody, each ends with its answer.
    tasks: AtomicUsize,
    now_s: AtomicI64,
    /// When the token that is given out ends.
    until_s: AtomicI64,
    asked: AtomicU64,
    down: AtomicBool,
    /// Gives out the same token to its end and after.
    stuck: AtomicBool,
    flavor: &'static str,
    key: TestKey,
    /// Signatures are random: the same token is the same text.
    token: std::sync::Mutex<String>,
}

impl Metadata {
    fn asked(&self) -> u64 {
        self.0.asked.load(Ordering::SeqCst)
    }

    fn be_down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }

    fn be_stuck(&self, stuck: bool) {
        self.0.stuck.store(stuck, Ordering::SeqCst);
    }

    /// What `signer` says at `now_s`, which is the time here, too; after whatever it began beside has come to its end.
    async fn authorization(&self, signer: &Signer, now_s: i64) -> Option<HeaderValue> {
        self.0.now_s.store(now_s, Ordering::SeqCst);
        let header = signer.authorization(AUDIENCE, now_s).await.ok();
        while tasks() > self.0.tasks.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        header
    }
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

async fn identity(State(Metadata(inner)): State<Metadata>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let asked = inner.asked.fetch_add(1, Ordering::SeqCst);
    if headers.get("metadata-flavor").is_none_or(|flavor| flavor != "Google") {
        return StatusCode::FORBIDDEN.into_response();
    }
    if inner.down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    assert_eq!(query.as_deref(), Some("audience=%2F%2Fonlineboutique.com%2Foms&format=full"));
    let now_s = inner.now_s.load(Ordering::SeqCst);
    let mut token = inner.token.lock().unwrap();
    let is_over = inner.until_s.load(Ordering::SeqCst) - now_s <= LAST_S && !inner.stuck.load(Ordering::SeqCst);
    if token.is_empty() || is_over {
        inner.until_s.store(now_s + LIFE_S, Ordering::SeqCst);
        *token = inner.key.token(&json!({ "aud": AUDIENCE, "exp": now_s + LIFE_S, "jti": asked }));
    }
    ([("metadata-flavor", inner.flavor)], token.clone()).into_response()
}

async fn serve(flavor: &'static str) -> (Metadata, Signer, Served) {
    let metadata = Metadata(Arc::new(Inner {
        tasks: AtomicUsize::default(),
        now_s: AtomicI64::new(NOW_S),
        until_s: AtomicI64::default(),
        asked: AtomicU64::default(),
        down: AtomicBool::default(),
        stuck: AtomicBool::default(),
        flavor,
        key: TestKey::ec("google"),
        token: std::sync::Mutex::default(),
    }));
    let router = Router::new().route(PATH, get(identity)).with_state(metadata.clone());
    let server = on_a_port(router).await;
    metadata.0.tasks.store(tasks(), Ordering::SeqCst);
    let signer = Signer::of_metadata_server(Some(&server.address().to_string()));
    (metadata, signer, server)
}

#[tokio::test]
async fn a_token_is_asked_for_once_an_hour_by_however_many() {
    let (metadata, signer, _server) = serve("Google").await;
    let all = (0..20).map(|_| {
        let signer = signer.clone();
        tokio::spawn(async move { signer.authorization(AUDIENCE, NOW_S).await })
    });
    for got in futures::future::join_all(all).await {
        assert!(got.unwrap().unwrap().to_str().unwrap().starts_with("Bearer ey"));
    }
    assert_eq!(metadata.asked(), 1);
    // A call a second for three hours: one token each, and none of them is asked for where the answer would be the one we have.
    for now_s in NOW_S..NOW_S + 3 * LIFE_S {
        assert!(metadata.authorization(&signer, now_s).await.is_some());
    }
    assert_eq!(metadata.asked(), 4);
}

#[tokio::test]
async fn a_token_is_renewed_beside_the_calls_that_go_on_with_it() {
    let (metadata, signer, _server) = serve("Google").await;
    let first = metadata.authorization(&signer, NOW_S).await.unwrap();
    let due_s = NOW_S + LIFE_S - TOKEN_RENEW_S;
    assert_eq!(metadata.authorization(&signer, due_s - 1).await.unwrap(), first);
    assert_eq!(metadata.asked(), 1);
    assert_eq!(metadata.authorization(&signer, due_s).await.unwrap(), first, "nobody waits for the next");
    assert_ne!(metadata.authorization(&signer, due_s).await.unwrap(), first);
    assert_eq!(metadata.asked(), 2);
}

/// A call a second in the last ten minutes of `first`, up to the last at which it is good. When that is, and how often a new one was tried.
async fn last_minutes(metadata: &Metadata, signer: &Signer, first: &HeaderValue) -> (i64, u64) {
    let last_s = NOW_S + LIFE_S - TOKEN_LEAST_S - 1;
    for now_s in NOW_S + LIFE_S - 600..=last_s {
        assert_eq!(metadata.authorization(signer, now_s).await.as_ref(), Some(first), "{now_s}, the last is {last_s}");
    }
    (last_s, metadata.asked() - 1)
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_is_sent_for_as_long_as_it_is_good() {
    let (metadata, signer, _server) = serve("Google").await;
    let first = metadata.authorization(&signer, NOW_S).await.unwrap();
    metadata.be_down(true);
    let (last_s, tries) = last_minutes(&metadata, &signer, &first).await;
    assert_eq!(tries, 21, "every {TOKEN_RENEW_PAUSE_S} s, and never because of a call");
    assert_eq!(metadata.authorization(&signer, last_s + 1).await, None);
    metadata.be_down(false);
    let next = metadata.authorization(&signer, last_s + 1 + NO_TOKEN_PAUSE_S).await;
    assert!(next.is_some_and(|next| next != first));
}

#[tokio::test]
async fn a_token_that_is_given_out_again_is_sent_for_as_long_as_it_is_good() {
    let (metadata, signer, _server) = serve("Google").await;
    let first = metadata.authorization(&signer, NOW_S).await.unwrap();
    metadata.be_stuck(true);
    let (last_s, tries) = last_minutes(&metadata, &signer, &first).await;
    assert_eq!(tries, 21, "every {TOKEN_RENEW_PAUSE_S} s, and never because of a call");
    metadata.be_stuck(false);
    assert!(metadata.authorization(&signer, last_s + 1).await.is_some_and(|next| next != first));
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_after_a_moment_and_not_by_each_who_waits() {
    let (metadata, signer, _server) = serve("Google").await;
    metadata.be_down(true);
    for _ in 0..10 {
        assert!(signer.authorization(AUDIENCE, NOW_S).await.is_err());
    }
    assert_eq!(metadata.asked(), 1);
    metadata.be_down(false);
    assert!(signer.authorization(AUDIENCE, NOW_S + NO_TOKEN_PAUSE_S).await.is_ok());
}

#[tokio::test]
async fn what_is_not_a_metadata_server_is_not_believed() {
    let (_metadata, signer, _server) = serve("Evil").await;
    let error = signer.authorization(AUDIENCE, NOW_S).await.unwrap_err().to_string();
    assert!(error.contains("is not a metadata server"), "{error}");
}
