//! The methods of one request and one answer, by their paths.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use google_cloud_googleapis::iam::v1 as iam;
use google_cloud_googleapis::pubsub::v1 as pb;
use prost::Message;

use super::codec::{Answer, decode};
use super::messages::{PublishRequest, PullResponse};
use crate::calls;
use crate::core::Core;
use crate::error::Refusal;

type Answered = BoxFuture<'static, Result<Answer, Refusal>>;

/// Answers an encoded request.
pub(super) type Method = fn(Arc<Core>, Bytes) -> Answered;

/// The method at a path.
pub(super) fn find(path: &str) -> Option<Method> {
    if let Some(method) = path.strip_prefix("/google.iam.v1.IAMPolicy/") {
        return iam_policy(method);
    }
    let (service, method) = path.strip_prefix("/google.pubsub.v1.")?.split_once('/')?;
    match service {
        "Publisher" => publisher(method),
        "Subscriber" => subscriber(method),
        "SchemaService" => schema_service(method),
        _ => None,
    }
}

fn publisher(method: &str) -> Option<Method> {
    Some(match method {
        "Publish" => |core, request| {
            if let Err(refusal) = PublishRequest::check(&request) {
                return Box::pin(std::future::ready(Err(refusal)));
            }
            unary(request, |r: PublishRequest| async move {
                let message_ids = calls::publish(&core, &r.topic, r.messages).await?;
                Ok(pb::PublishResponse { message_ids })
            })
        },
        "CreateTopic" => |core, request| lasting(request, |r| async move { calls::create_topic(&core, r).await }),
        "GetTopic" => {
            |core, request| unary(request, |r: pb::GetTopicRequest| async move { calls::get_topic(&core, &r.topic) })
        }
        "ListTopics" => |core, request| unary(request, |r| async move { calls::list_topics(&core, &r) }),
        "ListTopicSubscriptions" => {
            |core, request| unary(request, |r| async move { calls::list_topic_subscriptions(&core, &r) })
        }
        "UpdateTopic" => |core, request| lasting(request, |r| async move { calls::update_topic(&core, r).await }),
        "DeleteTopic" => |core, request| {
            lasting(request, |r: pb::DeleteTopicRequest| async move { calls::delete_topic(&core, r.topic).await })
        },
        "ListTopicSnapshots" => {
            |core, request| unary(request, |r| async move { calls::list_topic_snapshots(&core, &r) })
        }
        "DetachSubscription" => |core, request| {
            lasting(request, |r: pb::DetachSubscriptionRequest| async move {
                calls::detach_subscription(&core, r.subscription).await.map(|()| pb::DetachSubscriptionResponse {})
            })
        },
        _ => return None,
    })
}

fn subscriber(method: &str) -> Option<Method> {
    Some(match method {
        "Pull" => |core, request| {
            #[allow(deprecated, reason = "clients still send return_immediately")]
            unary(request, |r: pb::PullRequest| async move {
                let received = calls::pull(&core, &r.subscription, r.max_messages, r.return_immediately).await?;
                Ok(PullResponse { received_messages: received.into_iter().map(Into::into).collect() })
            })
        },
        "Acknowledge" => |core, request| {
            unary(
                request,
                |r: pb::AcknowledgeRequest| async move { calls::acknowledge(&core, &r.subscription, r.ack_ids) },
            )
        },
        "ModifyAckDeadline" => |core, request| {
            unary(request, |r: pb::ModifyAckDeadlineRequest| async move {
                calls::modify_ack_deadline(&core, &r.subscription, r.ack_ids, r.ack_deadline_seconds)
            })
        },
        "CreateSubscription" => {
            |core, request| lasting(request, |r| async move { calls::create_subscription(&core, r).await })
        }
        "GetSubscription" => |core, request| {
            unary(
                request,
                |r: pb::GetSubscriptionRequest| async move { calls::get_subscription(&core, &r.subscription) },
            )
        },
        "ListSubscriptions" => |core, request| unary(request, |r| async move { calls::list_subscriptions(&core, &r) }),
        "DeleteSubscription" => |core, request| {
            lasting(request, |r: pb::DeleteSubscriptionRequest| async move {
                calls::delete_subscription(&core, r.subscription).await
            })
        },
        "UpdateSubscription" => {
            |core, request| lasting(request, |r| async move { calls::update_subscription(&core, r).await })
        }
        "ModifyPushConfig" => |core, request| {
            lasting(request, |r: pb::ModifyPushConfigRequest| async move {
                calls::modify_push_config(&core, r.subscription, r.push_config).await
            })
        },
        "Seek" => |core, request| lasting(request, |r| async move { calls::seek(&core, r).await }),
        "CreateSnapshot" => |core, request| lasting(request, |r| async move { calls::create_snapshot(&core, r).await }),
        "GetSnapshot" => |core, request| {
            unary(request, |r: pb::GetSnapshotRequest| async move { calls::get_snapshot(&core, &r.snapshot) })
        },
        "ListSnapshots" => |core, request| unary(request, |r| async move { calls::list_snapshots(&core, &r) }),
        "UpdateSnapshot" => |core, request| lasting(request, |r| async move { calls::update_snapshot(&core, r).await }),
        "DeleteSnapshot" => |core, request| {
            lasting(
                request,
                |r: pb::DeleteSnapshotRequest| async move { calls::delete_snapshot(&core, r.snapshot).await },
            )
        },
        _ => return None,
    })
}

fn iam_policy(method: &str) -> Option<Method> {
    Some(match method {
        "TestIamPermissions" => |core, request| {
            unary(request, |r: iam::TestIamPermissionsRequest| async move {
                let permissions = calls::test_iam_permissions(&core, &r.resource, r.permissions)?;
                Ok(iam::TestIamPermissionsResponse { permissions })
            })
        },
        "GetIamPolicy" => |_, request| {
            unary(request, |_: iam::GetIamPolicyRequest| async { Err::<iam::Policy, _>(calls::no_policy()) })
        },
        "SetIamPolicy" => |_, request| {
            unary(request, |_: iam::SetIamPolicyRequest| async { Err::<iam::Policy, _>(calls::no_policy()) })
        },
        _ => return None,
    })
}

fn schema_service(method: &str) -> Option<Method> {
    Some(match method {
        "CreateSchema" => |core, request| lasting(request, |r| async move { calls::create_schema(&core, r).await }),
        "GetSchema" => |core, request| unary(request, |r| async move { calls::get_schema(&core, &r) }),
        "ListSchemas" => |core, request| unary(request, |r| async move { calls::list_schemas(&core, &r) }),
        "ListSchemaRevisions" => {
            |core, request| unary(request, |r| async move { calls::list_schema_revisions(&core, &r) })
        }
        "CommitSchema" => |core, request| lasting(request, |r| async move { calls::commit_schema(&core, r).await }),
        "RollbackSchema" => |core, request| lasting(request, |r| async move { calls::rollback_schema(&core, r).await }),
        "DeleteSchemaRevision" => {
            |core, request| lasting(request, |r| async move { calls::delete_schema_revision(&core, r).await })
        }
        "DeleteSchema" => |core, request| {
            lasting(request, |r: pb::DeleteSchemaRequest| async move { calls::delete_schema(&core, r.name).await })
        },
        "ValidateSchema" => |_, request| unary(request, |r| async move { calls::validate_schema(r).await }),
        "ValidateMessage" => |core, request| unary(request, |r| async move { calls::validate_message(&core, r).await }),
        _ => return None,
    })
}

/// As [`unary`], for calls that change something: once begun they go to their end, though the caller may be gone.
fn lasting<Q, A, Called>(request: Bytes, call: impl FnOnce(Q) -> Called + Send + 'static) -> Answered
where
    Q: Message + Default,
    A: Message + 'static,
    Called: Future<Output = Result<A, Refusal>> + Send + 'static,
{
    to_its_end(unary(request, call))
}

/// Goes on with a call though nobody waits for its answer.
fn to_its_end(called: Answered) -> Answered {
    let called = tokio::spawn(called);
    // It ends early only when the runtime stops, or by a panic, which is reported where it happens.
    Box::pin(async move { called.await.unwrap_or_else(|_| Err(Refusal::unavailable("the broker is stopping"))) })
}

/// Decodes a request, calls, and forgets the answer's type.
fn unary<Q, A, Called>(request: Bytes, call: impl FnOnce(Q) -> Called + Send + 'static) -> Answered
where
    Q: Message + Default,
    A: Message + 'static,
    Called: Future<Output = Result<A, Refusal>> + Send + 'static,
{
    match decode(request) {
        Ok(request) => {
            let called = call(request);
            Box::pin(async move { called.await.map(|answer| Box::new(answer) as Answer) })
        }
        Err(refusal) => Box::pin(std::future::ready(Err(refusal))),
    }
}
