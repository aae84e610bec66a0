//! The REST/JSON door: the paths of `https://pubsub.googleapis.com/v1/…`, ProtoJSON in and out.
//!
//! It knows no call of its own. A table says which gRPC method is behind a path; requests and answers are carried over
//! by the names of their fields, so a method that gRPC answers is answered here.

mod answer;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod identity;
mod json;
mod path;
mod query;
mod route;
mod transcode;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use prost_reflect::DynamicMessage;
use tonic::body::Body;

use self::answer::{encoded, ok, plain, refused};
use self::transcode::transcode;
use crate::core::Core;
use crate::error::{Code, Refusal};
use crate::{body, grpc, metrics, stats};

/// Answers a request that is not gRPC.
pub(crate) async fn serve(core: Arc<Core>, request: Request<Incoming>) -> Response<Body> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/" | "/health") => return plain("Ok\n"),
        (&Method::GET, "/stats") => return ok(&stats::collect(&core)),
        (&Method::GET, "/metrics") => return plain(metrics::text(&stats::collect(&core))),
        (&Method::GET, "/oauth2/v3/certs") => return identity::certs(&core).await,
        (&Method::GET, "/.well-known/openid-configuration") => return identity::discovery(&core),
        _ => {}
    }
    match answer(core, request).await {
        Ok(json) => encoded(json),
        Err(refusal) => refused(&refusal),
    }
}

async fn answer(core: Arc<Core>, request: Request<Incoming>) -> Result<Vec<u8>, Refusal> {
    let (parts, body) = request.into_parts();
    let body = body::read(&core, body).await?;
    let query = parts.uri.query().unwrap_or("");
    let call = transcode(parts.method.as_str(), parts.uri.path(), query, &body)?;
    drop(body);
    let answer = grpc::call(core, call.path, Bytes::from(call.request)).await?;
    let internal = |why: String| Refusal::new(Code::Internal, format!("the answer cannot be written: {why}"));
    let answer = DynamicMessage::decode(call.answer, answer.as_slice()).map_err(|e| internal(e.to_string()))?;
    json::write(&answer, call.enums_as_numbers).map_err(|e| internal(e.to_string()))
}
