//! An answer on its way: the connection is the client's again when its last byte is handed over.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::pace::Answering;

/// A body that ends the server's turn when it is dropped.
pub(super) struct Answer {
    body: Body,
    _turn: Answering,
}

impl Answer {
    pub(super) fn new(body: Body, turn: Answering) -> Self {
        Self { body, _turn: turn }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
