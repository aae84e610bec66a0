//! Requests from one to another: slow, lost, cut off, refused because nobody is there, broken off because somebody died.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tower::Service;

use crate::life::Place;
use crate::time::wait;
use crate::world::World;

/// The largest answer carried, in bytes.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// How long one way takes when nothing is wrong, in milliseconds at most.
const WAY_MS: u64 = 4;
/// A caller that goes away is noticed in so many of a thousand cases before the callee is done.
const NOTICED: u32 = 500;

impl World {
    /// Carries a request to the service its URI names, through whatever weather there is.
    pub(crate) async fn call(
        self: &Arc<Self>,
        from: &'static str,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, String> {
        let to = request.uri().host().and_then(|host| self.houses.get_key_value(host)).map(|(name, _)| *name);
        let to = to.ok_or_else(|| format!("{} has no address", request.uri()))?;
        let what = format!("{from} > {to} {} {}", request.method(), request.uri().path());
        let answer = self.exchange(from, to, request).await;
        self.count(|tally| {
            tally.requests += 1;
            tally.unanswered += u64::from(answer.is_err());
        });
        match &answer {
            Ok(response) => self.note(format_args!("{what}: {}", response.status().as_u16())),
            Err(reason) => self.note(format_args!("{what}: {reason}")),
        }
        answer
    }

    async fn exchange(
        self: &Arc<Self>,
        from: &'static str,
        to: &'static str,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, String> {
        self.travel().await;
        if self.is_cut(from, to) {
            return Err("the network is unreachable".to_owned());
        }
        if self.happens(|weather| weather.request_lost) {
            return self.vanish(from, to, "request").await;
        }
        let answer = self.serve(to, request).await;
        self.travel().await;
        if self.happens(|weather| weather.answer_lost) {
            return self.vanish(from, to, "answer").await;
        }
        answer
    }

    /// Brings a request to a service's door and waits for what comes out.
    pub(crate) async fn serve(
        self: &Arc<Self>,
        to: &'static str,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, String> {
        let Some((router, life)) = self.houses[to].doors() else { return Err("connection refused".to_owned()) };
        let (send, answer) = oneshot::channel();
        let (world, callee) = (Arc::clone(self), Arc::clone(&life));
        let task = tokio::spawn(async move {
            let response = respond(router, request).await;
            world.dies(&callee, Place::BeforeAnswer);
            callee.go_on().await;
            // A caller that went away hears nothing.
            let _ = send.send(response);
        });
        let mut caller = Caller { world: Arc::clone(self), task: Some(task.abort_handle()) };
        let answer = tokio::select! {
            biased;
            answer = answer => answer.map_err(|_| "connection reset".to_owned()),
            () = life.ended() => Err("connection reset".to_owned()),
        };
        caller.task = None;
        answer
    }

    async fn travel(&self) {
        let mut ms = self.between(0, WAY_MS);
        if self.happens(|weather| weather.slow) {
            ms += self.length_ms(|weather| weather.slow_ms);
        }
        wait(ms).await;
    }

    /// Lost without a trace: the caller waits until it gives up.
    async fn vanish(&self, from: &str, to: &str, what: &str) -> Result<Response<Bytes>, String> {
        self.note(format_args!("lost {what} {from} > {to}"));
        std::future::pending().await
    }
}

/// A caller that waits. Should it go away first, the callee's server may notice, and drops what it was doing.
struct Caller {
    world: Arc<World>,
    task: Option<AbortHandle>,
}

impl Drop for Caller {
    fn drop(&mut self) {
        if let Some(task) = self.task.take()
            && self.world.happens(|_| NOTICED)
        {
            task.abort();
        }
    }
}

async fn respond(mut router: Router, request: Request<Bytes>) -> Response<Bytes> {
    let response = match router.as_service().call(request.map(Body::from)).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (head, body) = response.into_parts();
    // Bodies of our doors are whole and bounded; one that is not is an empty answer, which no contract has.
    Response::from_parts(head, to_bytes(body, MAX_ANSWER_BYTES).await.unwrap_or_default())
}
