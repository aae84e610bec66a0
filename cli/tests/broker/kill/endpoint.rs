//! The endpoint pushes go to. It takes most of them, each after a moment.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use super::journal::{Event, Journal, Name};

/// The path of a subscription where some messages are never taken.
pub(crate) const MORTAL: &str = "/mortal";
/// A message is taken after so many milliseconds, at most.
const HANDLING_MS: u64 = 5;
/// One of so many pushes is refused by chance.
const REFUSED: u64 = 33;

/// Journals by path.
pub(crate) type Journals = HashMap<String, Arc<Journal>>;

/// Takes pushes for as long as the test runs. Gives its address as a URL without a path.
pub(crate) async fn open(journals: Journals, seed: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let journals = Arc::new(journals);
    let dice = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (journals, dice) = (Arc::clone(&journals), Arc::clone(&dice));
            let service = service_fn(move |request| {
                let dice = dice.lock().unwrap_or_else(PoisonError::into_inner).fork();
                answer(request, Arc::clone(&journals), dice)
            });
            // A connection ends with the broker.
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    url
}

async fn answer(
    request: Request<Incoming>,
    journals: Arc<Journals>,
    mut dice: fastrand::Rng,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    // A broker that is killed leaves half a request.
    let Ok(body) = request.into_body().collect().await else { return Ok(response) };
    let body: Value = serde_json::from_slice(&body.to_bytes()).expect("an envelope");
    let message = &body["message"];
    let name = Name::of(|key| message["attributes"][key].as_str());
    let id = message["messageId"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let journal = &journals[&path];
    journal.note([Event::Delivered { id, name, asked_at: 0 }]);
    tokio::time::sleep(Duration::from_millis(dice.u64(..=HANDLING_MS))).await;
    let is_poison = path == MORTAL && name.is_poison();
    if !is_poison && dice.u64(..REFUSED) > 0 {
        journal.note([Event::AckSent(id)]);
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    Ok(response)
}
