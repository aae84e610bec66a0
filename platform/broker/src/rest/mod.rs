//! The REST/JSON door: the paths of `https://pubsub.googleapis.com/v1/…`, ProtoJSON in and out.

mod answer;
mod identity;
mod json;
mod messages;
mod route;
mod subscriptions;
mod topics;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tonic::body::Body;

use self::answer::{Answer, ok, plain, refused};
use self::route::{Route, route};
use crate::core::Core;
use crate::error::{Code, Refusal};
use crate::limits::BODY_BYTES;
use crate::stats;

/// A REST call, read and taken apart.
struct Call {
    core: Arc<Core>,
    query: String,
    body: Bytes,
}

impl Call {
    /// A parameter of the query.
    fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (route::decode(key).as_deref() == Some(name)).then(|| route::decode(value))?
        })
    }

    /// `pageSize` and `pageToken`.
    fn page(&self) -> Result<(i32, String), Refusal> {
        let size = match self.parameter("pageSize").filter(|size| !size.is_empty()) {
            Some(size) => size.parse().map_err(|_| Refusal::invalid("pageSize is not a number"))?,
            None => 0,
        };
        Ok((size, self.parameter("pageToken").unwrap_or_default()))
    }

    /// Whether enums are answered as numbers, as the official clients ask for (`$alt=json;enum-encoding=int`).
    fn enums_as_numbers(&self) -> bool {
        self.parameter("$alt").is_some_and(|alt| alt.ends_with("enum-encoding=int"))
    }
}

/// Answers a request that is not gRPC.
pub(crate) async fn serve(core: Arc<Core>, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/" | "/health") => return plain("Ok\n"),
        (&Method::GET, "/stats") => return ok(&stats::collect(&core)),
        (&Method::GET, "/oauth2/v3/certs") => return identity::certs(&core).await,
        (&Method::GET, "/.well-known/openid-configuration") => return identity::discovery(&core),
        _ => {}
    }
    let Some(route) = route(&parts.method, parts.uri.path()) else {
        return refused(&Refusal::new(
            Code::NotFound,
            format!("no such method: {} {}", parts.method, parts.uri.path()),
        ));
    };
    let body = match Limited::new(body, BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return refused(&Refusal::invalid(format!("the body cannot be read: {error}"))),
    };
    let call = Call { core, query: parts.uri.query().unwrap_or("").to_owned(), body };
    answer(&call, route).await.unwrap_or_else(|refusal| refused(&refusal))
}

async fn answer(call: &Call, route: Route) -> Answer {
    match route {
        Route::ListTopics(project) => topics::list(call, project),
        Route::CreateTopic(name) => topics::create(call, name).await,
        Route::GetTopic(name) => topics::get(call, &name),
        Route::DeleteTopic(name) => topics::delete(call, name).await,
        Route::ListTopicSubscriptions(name) => topics::list_subscriptions(call, name),
        Route::Publish(name) => messages::publish(call, &name).await,
        Route::ListSubscriptions(project) => subscriptions::list(call, project),
        Route::CreateSubscription(name) => subscriptions::create(call, name).await,
        Route::GetSubscription(name) => subscriptions::get(call, &name),
        Route::DeleteSubscription(name) => subscriptions::delete(call, name).await,
        Route::ModifyPushConfig(name) => subscriptions::modify_push_config(call, name).await,
        Route::Pull(name) => messages::pull(call, &name).await,
        Route::Acknowledge(name) => messages::acknowledge(call, &name),
        Route::ModifyAckDeadline(name) => messages::modify_ack_deadline(call, &name),
        Route::Unimplemented(what) => Err(Refusal::unimplemented(&what)),
    }
}
