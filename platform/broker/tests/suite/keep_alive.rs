//! Keep-alives of a streaming pull: clients of protocol version 1 take a stream for dead when theirs are not answered.

use bytes::{Buf, BufMut, Bytes};
use google_cloud_googleapis::pubsub::v1 as pb;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Status, Streaming};

use crate::harness::{SUBSCRIPTION, World, soon, text};

/// The version as the service's newest types have it: a field that ours do not know.
#[derive(Clone, PartialEq, prost::Message)]
struct Version {
    #[prost(int64, tag = "10")]
    protocol_version: i64,
}

/// Requests that are encoded already.
#[derive(Default)]
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = pb::StreamingPullResponse;
    type Encoder = Encoded;
    type Decoder = Encoded;

    fn encoder(&mut self) -> Encoded {
        Encoded
    }

    fn decoder(&mut self) -> Encoded {
        Encoded
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, request: Bytes, frame: &mut EncodeBuf<'_>) -> Result<(), Status> {
        frame.put(request);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = pb::StreamingPullResponse;
    type Error = Status;

    fn decode(&mut self, frame: &mut DecodeBuf<'_>) -> Result<Option<pb::StreamingPullResponse>, Status> {
        Ok(Some(pb::StreamingPullResponse::decode(frame.copy_to_bytes(frame.remaining())).unwrap()))
    }
}

/// A stream whose first request says a version. Sending an empty request keeps it alive.
async fn stream(world: &World, protocol_version: i64) -> (mpsc::Sender<Bytes>, Streaming<pb::StreamingPullResponse>) {
    let first = pb::StreamingPullRequest {
        subscription: SUBSCRIPTION.to_owned(),
        stream_ack_deadline_seconds: 10,
        ..Default::default()
    };
    // Two messages, one after the other, are one message.
    let first = [first.encode_to_vec(), Version { protocol_version }.encode_to_vec()].concat();
    let (requests, receiver) = mpsc::channel(8);
    requests.send(first.into()).await.unwrap();
    let mut client = tonic::client::Grpc::new(world.channel().await);
    soon(client.ready()).await.unwrap();
    let path = "/google.pubsub.v1.Subscriber/StreamingPull".parse().unwrap();
    let request = tonic::Request::new(ReceiverStream::new(receiver));
    let stream = soon(client.streaming(request, path, Encoded)).await.unwrap().into_inner();
    (requests, stream)
}

#[tokio::test]
async fn a_keep_alive_of_a_client_that_waits_for_an_answer_is_answered() {
    let mut world = World::with_topic().await;
    world.subscription(|new| new.enable_message_ordering = true).await;
    let (requests, mut stream) = stream(&world, 1).await;
    for _ in 0..2 {
        requests.send(Bytes::new()).await.unwrap();
        let pong = soon(stream.message()).await.unwrap().unwrap();
        assert!(pong.received_messages.is_empty());
        assert!(pong.subscription_properties.unwrap().message_ordering_enabled);
    }
    world.say(&["a"]).await;
    assert_eq!(soon(stream.message()).await.unwrap().unwrap().received_messages.len(), 1);
}

#[tokio::test]
async fn a_keep_alive_of_a_client_of_the_first_protocol_is_not_answered() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    let (requests, mut stream) = stream(&world, 0).await;
    requests.send(Bytes::new()).await.unwrap();
    world.say(&["a"]).await;
    let answer = soon(stream.message()).await.unwrap().unwrap();
    assert_eq!(answer.received_messages.iter().map(text).collect::<Vec<_>>(), ["a"]);
}
