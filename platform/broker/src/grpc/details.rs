//! What a refusal says about single things, as Google's APIs put it: a `google.rpc.Status` with an `ErrorInfo`.

use std::collections::HashMap;

use bytes::Bytes;
use prost::Message;
use prost_types::Any;

use crate::error::Refusal;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
    #[prost(map = "string, string", tag = "3")]
    metadata: HashMap<String, String>,
}

/// The value of `grpc-status-details-bin`.
pub(crate) fn details(refusal: &Refusal) -> Bytes {
    let info = ErrorInfo {
        reason: "INVALID_ACK_ID".to_owned(),
        domain: "pubsub.googleapis.com".to_owned(),
        metadata: refusal.details.iter().cloned().collect(),
    };
    let any = Any { type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(), value: info.encode_to_vec() };
    let status = Status { code: refusal.code.into(), message: refusal.message.clone(), details: vec![any] };
    status.encode_to_vec().into()
}
