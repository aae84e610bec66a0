//! The gRPC door: finds the method by its path and leaves the frames to tonic.

mod messages;
mod streaming;

use std::sync::Arc;

use google_cloud_googleapis::pubsub::v1 as pb;
use http::{Request, Response};
use hyper::body::Incoming;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::server::Grpc;
use tonic_prost::ProstCodec;
use tower::service_fn;

use self::messages::{PublishRequest, PullResponse};
use crate::calls;
use crate::core::Core;
use crate::error::Refusal;
use crate::limits::BODY_BYTES;

/// Whether a request is gRPC.
pub(crate) fn is_grpc(request: &Request<Incoming>) -> bool {
    let kind = request.headers().get(http::header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Answers a gRPC request.
pub(crate) async fn serve(core: Arc<Core>, request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path();
    match path.strip_prefix("/google.pubsub.v1.").and_then(|rest| rest.split_once('/')) {
        Some(("Publisher", method)) => {
            let method = method.to_owned();
            publisher(core, &method, request).await
        }
        Some(("Subscriber", method)) => {
            let method = method.to_owned();
            subscriber(core, &method, request).await
        }
        _ => unimplemented(path),
    }
}

async fn publisher(core: Arc<Core>, method: &str, request: Request<Incoming>) -> Response<Body> {
    match method {
        "Publish" => {
            unary(core, request, |core, request: PublishRequest| async move {
                let message_ids = calls::publish(&core, &request.topic, request.messages).await?;
                Ok(pb::PublishResponse { message_ids })
            })
            .await
        }
        "CreateTopic" => {
            unary(core, request, |core, topic: pb::Topic| async move { calls::create_topic(&core, topic).await }).await
        }
        "GetTopic" => {
            unary(core, request, |core, r: pb::GetTopicRequest| async move { calls::get_topic(&core, &r.topic) }).await
        }
        "ListTopics" => {
            unary(core, request, |core, r: pb::ListTopicsRequest| async move { calls::list_topics(&core, &r) }).await
        }
        "ListTopicSubscriptions" => {
            unary(core, request, |core, r: pb::ListTopicSubscriptionsRequest| async move {
                calls::list_topic_subscriptions(&core, &r)
            })
            .await
        }
        "DeleteTopic" => {
            unary(
                core,
                request,
                |core, r: pb::DeleteTopicRequest| async move { calls::delete_topic(&core, r.topic).await },
            )
            .await
        }
        _ => unimplemented(&format!("Publisher.{method}")),
    }
}

async fn subscriber(core: Arc<Core>, method: &str, request: Request<Incoming>) -> Response<Body> {
    match method {
        "Pull" =>
        {
            #[allow(deprecated, reason = "clients still send return_immediately")]
            unary(core, request, |core, r: pb::PullRequest| async move {
                let received = calls::pull(&core, &r.subscription, r.max_messages, r.return_immediately).await?;
                Ok(PullResponse { received_messages: received.into_iter().map(Into::into).collect() })
            })
            .await
        }
        "StreamingPull" => streaming::serve(core, request).await,
        "Acknowledge" => {
            unary(core, request, |core, r: pb::AcknowledgeRequest| async move {
                calls::acknowledge(&core, &r.subscription, &r.ack_ids)
            })
            .await
        }
        "ModifyAckDeadline" => {
            unary(core, request, |core, r: pb::ModifyAckDeadlineRequest| async move {
                calls::modify_ack_deadline(&core, &r.subscription, &r.ack_ids, r.ack_deadline_seconds)
            })
            .await
        }
        "CreateSubscription" => {
            unary(core, request, |core, r: pb::Subscription| async move { calls::create_subscription(&core, r).await })
                .await
        }
        "GetSubscription" => {
            unary(core, request, |core, r: pb::GetSubscriptionRequest| async move {
                calls::get_subscription(&core, &r.subscription)
            })
            .await
        }
        "ListSubscriptions" => {
            unary(
                core,
                request,
                |core, r: pb::ListSubscriptionsRequest| async move { calls::list_subscriptions(&core, &r) },
            )
            .await
        }
        "DeleteSubscription" => {
            unary(core, request, |core, r: pb::DeleteSubscriptionRequest| async move {
                calls::delete_subscription(&core, r.subscription).await
            })
            .await
        }
        "ModifyPushConfig" => {
            unary(core, request, |core, r: pb::ModifyPushConfigRequest| async move {
                calls::modify_push_config(&core, r.subscription, r.push_config).await
            })
            .await
        }
        _ => unimplemented(&format!("Subscriber.{method}")),
    }
}

/// Answers a call of one request and one answer.
async fn unary<Q, A, Called>(
    core: Arc<Core>,
    request: Request<Incoming>,
    call: impl Fn(Arc<Core>, Q) -> Called + Send,
) -> Response<Body>
where
    Q: prost::Message + Default + 'static,
    A: prost::Message + 'static,
    Called: Future<Output = Result<A, Refusal>> + Send,
{
    let service = service_fn(|request: tonic::Request<Q>| {
        let called = call(Arc::clone(&core), request.into_inner());
        async move { called.await.map(tonic::Response::new).map_err(Status::from) }
    });
    Grpc::new(ProstCodec::<A, Q>::new())
        .max_decoding_message_size(BODY_BYTES)
        .accept_compressed(CompressionEncoding::Gzip)
        .unary(service, request)
        .await
}

fn unimplemented(what: &str) -> Response<Body> {
    Status::from(Refusal::unimplemented(what)).into_http()
}
