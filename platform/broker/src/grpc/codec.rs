//! One codec for every call: requests come as bytes, answers encode themselves.
//!
//! So what tonic does around a call is compiled once, not once for each pair of messages.

use bytes::{Buf, Bytes};
use prost::Message;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use crate::error::Refusal;

/// An answer whose type is forgotten.
pub(super) type Answer = Box<dyn Encode>;

/// A message that can be written into a frame, or into bytes for the other door.
pub(super) trait Encode: Send + Sync {
    fn encode(&self, frame: &mut EncodeBuf<'_>);

    fn encoded(&self) -> Vec<u8>;
}

impl<M: Message> Encode for M {
    fn encode(&self, frame: &mut EncodeBuf<'_>) {
        Message::encode(self, frame).expect("a frame grows as needed");
    }

    fn encoded(&self) -> Vec<u8> {
        self.encode_to_vec()
    }
}

/// A request of type `M`.
pub(super) fn decode<M: Message + Default>(bytes: Bytes) -> Result<M, Refusal> {
    M::decode(bytes).map_err(|error| Refusal::invalid(format!("The request is not what the method takes: {error}")))
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Frames;

impl Codec for Frames {
    type Encode = Answer;
    type Decode = Bytes;
    type Encoder = Frames;
    type Decoder = Frames;

    fn encoder(&mut self) -> Frames {
        Frames
    }

    fn decoder(&mut self) -> Frames {
        Frames
    }
}

impl Encoder for Frames {
    type Item = Answer;
    type Error = Status;

    fn encode(&mut self, answer: Answer, frame: &mut EncodeBuf<'_>) -> Result<(), Status> {
        answer.as_ref().encode(frame);
        Ok(())
    }
}

impl Decoder for Frames {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, frame: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(frame.copy_to_bytes(frame.remaining())))
    }
}
