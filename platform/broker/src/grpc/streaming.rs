//! Streaming pull: one task per stream, between the client's acks and the subscription's messages.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use delivery::{Owner, Take};
use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::streaming_pull_response::{
    AcknowledgeConfirmation, ModifyAckDeadlineConfirmation,
};
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::{Status, Streaming};
use tower::service_fn;

use super::codec::{self, Answer};
use super::grpc;
use super::messages::{StreamingPullResponse, StreamingPullVersion};
use crate::calls;
use crate::core::Core;
use crate::error::Refusal;
use crate::limits;
use crate::subscription::Subscription;
use crate::sync::stopped;

type Answers = mpsc::Sender<Result<Answer, Status>>;
type Confirmed = (Option<AcknowledgeConfirmation>, Option<ModifyAckDeadlineConfirmation>);

/// Answers a streaming pull.
pub(super) async fn serve(core: Arc<Core>, request: Request<Incoming>) -> Response<Body> {
    let service = service_fn(|request: tonic::Request<Streaming<Bytes>>| {
        let core = Arc::clone(&core);
        async move {
            let (answers, stream) = mpsc::channel(limits::STREAM_ANSWERS);
            // The task ends with the connection: its requests end, or nobody takes its answers.
            tokio::spawn(run(core, request.into_inner(), answers));
            Ok::<_, Status>(tonic::Response::new(ReceiverStream::new(stream)))
        }
    });
    grpc().streaming(service, request).await
}

async fn run(core: Arc<Core>, mut requests: Streaming<Bytes>, answers: Answers) {
    let Ok(Some(first)) = requests.message().await else { return };
    let opened = open(core, first);
    let ended = match opened {
        Ok((mut stream, first)) => {
            let ended = stream.serve(first, &mut requests, &answers).await;
            stream.subscription.close_flow(stream.owner);
            ended
        }
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = ended {
        // A client that is gone needs no reason.
        let _ = answers.send(Err(refusal.into())).await;
    }
}

fn open(core: Arc<Core>, first: Bytes) -> Result<(Stream, pb::StreamingPullRequest), Refusal> {
    let version: StreamingPullVersion = codec::decode(first.clone())?;
    let first = codec::decode(first)?;
    let stream = Stream::open(core, &first, version.protocol_version >= limits::STREAM_PINGS_VERSION)?;
    Ok((stream, first))
}

struct Stream {
    core: Arc<Core>,
    subscription: Arc<Subscription>,
    owner: Owner,
    deadline_ms: u64,
    /// What to tell the client of its acks and deadlines.
    confirmed: VecDeque<Confirmed>,
    /// Whether the client listens for answers to its keep-alives; it takes the stream for dead when none comes.
    answers_pings: bool,
    /// A keep-alive has come and is not answered yet.
    is_pinged: bool,
}

impl Stream {
    fn open(core: Arc<Core>, first: &pb::StreamingPullRequest, answers_pings: bool) -> Result<Stream, Refusal> {
        let subscription = core.attached(&first.subscription)?;
        subscription.check_has_subscribers()?;
        let deadline_ms = stream_deadline_ms(first.stream_ack_deadline_seconds)?;
        let limit = |asked: i64, default: i64| if asked > 0 { asked } else { default };
        let owner = core.new_owner();
        subscription.open_flow(
            owner,
            limit(first.max_outstanding_messages, limits::STREAM_MESSAGES),
            limit(first.max_outstanding_bytes, limits::STREAM_BYTES),
        );
        let confirmed = VecDeque::new();
        Ok(Stream { core, subscription, owner, deadline_ms, confirmed, answers_pings, is_pinged: false })
    }

    /// Until the client goes (`Ok`) or the stream is refused.
    async fn serve(
        &mut self,
        first: pb::StreamingPullRequest,
        requests: &mut Streaming<Bytes>,
        answers: &Answers,
    ) -> Result<(), Refusal> {
        let subscription = Arc::clone(&self.subscription);
        let mut stopping = self.core.stopping.subscribe();
        self.settle(first)?;
        loop {
            let mut woken = pin!(subscription.wake.notified());
            woken.as_mut().enable();
            if subscription.is_deleted() {
                return Err(Refusal::not_found("Subscription", &subscription.name));
            }
            self.core.attached(&subscription.name)?;
            let (is_full, next_due) = match answers.try_reserve() {
                Ok(permit) => {
                    if let Some(answer) = self.confirm() {
                        permit.send(Ok(Box::new(answer)));
                        continue;
                    }
                    let (answer, next_due) = self.next();
                    if let Some(answer) = answer.or_else(|| self.pong()) {
                        permit.send(Ok(Box::new(answer)));
                        continue;
                    }
                    (false, next_due)
                }
                Err(mpsc::error::TrySendError::Full(())) => (true, None),
                Err(mpsc::error::TrySendError::Closed(())) => return Ok(()),
            };
            let timer = async {
                match next_due {
                    Some(at_ms) => tokio::time::sleep_until(self.core.clock.timer_at(at_ms)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                request = requests.message(), if self.confirmed.len() < limits::STREAM_CONFIRMATIONS => match request {
                    Ok(Some(request)) => self.settle(codec::decode(request)?)?,
                    Ok(None) | Err(_) => return Ok(()),
                },
                () = woken, if !is_full => {}
                room = answers.reserve(), if is_full => {
                    if room.is_err() {
                        return Ok(());
                    }
                }
                () = answers.closed(), if !is_full => return Ok(()),
                () = timer => {}
                () = stopped(&mut stopping) => return Err(Refusal::unavailable("the broker is stopping")),
            }
        }
    }

    /// What the client says on the stream: acks, deadlines, a new deadline for the stream, or nothing to stay alive.
    fn settle(&mut self, request: pb::StreamingPullRequest) -> Result<(), Refusal> {
        self.is_pinged |= self.answers_pings && request == pb::StreamingPullRequest::default();
        if request.stream_ack_deadline_seconds != 0 {
            self.deadline_ms = stream_deadline_ms(request.stream_ack_deadline_seconds)?;
        }
        let (acks, deadlines) = calls::settle(&self.core, &self.subscription, request)?;
        if acks.is_some() || deadlines.is_some() {
            self.confirmed.push_back((acks, deadlines));
        }
        Ok(())
    }

    /// What the client must know before it gets messages: the fate of its acks, with exactly-once delivery.
    fn confirm(&mut self) -> Option<StreamingPullResponse> {
        let (acknowledge_confirmation, modify_ack_deadline_confirmation) = self.confirmed.pop_front()?;
        Some(StreamingPullResponse {
            acknowledge_confirmation,
            modify_ack_deadline_confirmation,
            subscription_properties: Some(self.properties()),
            ..StreamingPullResponse::default()
        })
    }

    fn properties(&self) -> pb::streaming_pull_response::SubscriptionProperties {
        let terms = self.subscription.terms();
        pb::streaming_pull_response::SubscriptionProperties {
            exactly_once_delivery_enabled: terms.exactly_once(),
            message_ordering_enabled: terms.config.enable_message_ordering,
        }
    }

    /// The answer to keep-alives that are not answered yet: one without messages.
    fn pong(&mut self) -> Option<StreamingPullResponse> {
        let pinged = std::mem::take(&mut self.is_pinged);
        pinged.then(|| StreamingPullResponse {
            subscription_properties: Some(self.properties()),
            ..StreamingPullResponse::default()
        })
    }

    /// The next answer, if there are messages, and when time alone makes more ready.
    fn next(&self) -> (Option<StreamingPullResponse>, Option<u64>) {
        self.subscription.mark_used();
        let now_ms = self.core.clock.steady_ms();
        let turn = self.subscription.take(Take {
            messages: limits::PULL_MESSAGES,
            bytes: limits::PULL_BYTES,
            per_key: limits::PULL_MESSAGES_PER_KEY,
            now_ms,
            until_ms: now_ms + self.deadline_ms,
            owner: self.owner,
        });
        self.core.forward(&self.subscription, turn.missed);
        if turn.deliveries.is_empty() {
            return (None, turn.next_due);
        }
        let received = calls::received(&self.core, &self.subscription, turn.deliveries);
        let answer = StreamingPullResponse {
            received_messages: received.into_iter().map(Into::into).collect(),
            subscription_properties: Some(self.properties()),
            ..StreamingPullResponse::default()
        };
        (Some(answer), None)
    }
}

fn stream_deadline_ms(seconds: i32) -> Result<u64, Refusal> {
    if !limits::ACK_DEADLINE_SECONDS.contains(&seconds) {
        return Err(Refusal::invalid(format!(
            "Invalid stream_ack_deadline_seconds given: {seconds}. It must be between {} and {}",
            limits::ACK_DEADLINE_SECONDS.start(),
            limits::ACK_DEADLINE_SECONDS.end()
        )));
    }
    Ok(u64::from(seconds.unsigned_abs()) * 1000)
}
