//! Who does something in a run, besides the services. An actor is a task on the run's clock that calls services through the
//! [network](crate::network) as anybody would; a new one is a file here and a line in [`start`].

mod carrier;
mod client;
mod inspector;
mod on_call;
mod reviewer;
mod weather;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, StatusCode};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::memory::Memory;
use crate::scenario::Scenario;
use crate::world::World;

/// How long an actor waits for an answer, in milliseconds; now and then less than a request takes.
const PATIENCE_MS: (u64, u64) = (20, 10_000);

/// Starts every actor. The handles are of those who come to an end: clients.
pub(crate) fn start(world: &Arc<World>, memory: &Arc<Memory>, scenario: &Scenario) -> Vec<JoinHandle<()>> {
    let mut always: Vec<BoxFuture<'static, ()>> = vec![
        Box::pin(on_call::watch(Arc::clone(world), scenario.on_call_every_ms)),
        Box::pin(inspector::inspect(Arc::clone(world))),
    ];
    if scenario.has_reviewer {
        always.push(Box::pin(reviewer::review(Arc::clone(world))));
    }
    if scenario.undelivered > 0 {
        always.push(Box::pin(carrier::drive(Arc::clone(world), scenario.undelivered, scenario.storm_ms)));
    }
    always.into_iter().for_each(|actor| drop(tokio::spawn(actor)));
    weather::start(world, scenario);
    let client = |(number, client)| tokio::spawn(client::live(Arc::clone(world), Arc::clone(memory), number, client));
    scenario.clients.iter().cloned().enumerate().map(client).collect()
}

/// One request of an actor: the status and the body, or nothing when no answer came.
pub(crate) async fn ask(
    world: &Arc<World>,
    actor: &'static str,
    method: Method,
    url: &str,
    key: Option<&str>,
    body: &Value,
) -> Option<(StatusCode, Value)> {
    let mut request = Request::builder().method(method).uri(url).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
    let request = request.body(body).expect("an actor's request is one");
    let call = world.call(actor, request);
    let patience_ms = world.between(PATIENCE_MS.0, PATIENCE_MS.1);
    let answer = tokio::time::timeout(Duration::from_millis(patience_ms), call).await;
    let response = answer.ok()?.ok()?;
    let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    Some((response.status(), body))
}
