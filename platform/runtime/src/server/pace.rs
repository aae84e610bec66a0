//! A connection that ends when its client takes too long: for a head, for the next request, for reading an answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::limits::Limits;

/// Whose turn it is on a connection: the client's (even) or the server's (odd). Each request makes two steps.
#[derive(Clone, Default)]
pub(super) struct Turn(Arc<AtomicU64>);

impl Turn {
    /// A request's head has come: it is the server's turn until what is returned is dropped.
    pub(super) fn begin(&self) -> Answering {
        self.0.fetch_add(1, Ordering::AcqRel);
        Answering(self.clone())
    }

    fn step(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A request that is being answered.
pub(super) struct Answering(Turn);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// A stream with a clock for each side.
pub(super) struct Paced<S> {
    stream: S,
    turn: Turn,
    head_time: Duration,
    idle_time: Duration,
    write_time: Duration,
    /// The client's step in which the first bytes of a head have come.
    head_in: Option<u64>,
    /// What is waited for, and until when.
    reading: Option<(Wait, Pin<Box<Sleep>>)>,
    writing: Option<Pin<Box<Sleep>>>,
}

/// What a client is waited for, in which of its steps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Head(u64),
    Request(u64),
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, turn: Turn, limits: &Limits) -> Self {
        let Limits { head_time, idle_time, write_time, .. } = *limits;
        // Who opens a connection has a request to send: the first head is due at once.
        let head_in = Some(turn.step());
        Self { stream, turn, head_time, idle_time, write_time, head_in, reading: None, writing: None }
    }

    /// Nothing came. Pending, until the client's time is over.
    fn wait_for_client(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let step = self.turn.step();
        if !step.is_multiple_of(2) {
            // The server is at work; a body has a clock of its own.
            self.reading = None;
            return Poll::Pending;
        }
        let (wait, time) = if self.head_in == Some(step) {
            (Wait::Head(step), self.head_time)
        } else {
            (Wait::Request(step), self.idle_time)
        };
        if self.reading.as_ref().is_none_or(|(waits, _)| *waits != wait) {
            self.reading = Some((wait, Box::pin(sleep(time))));
        }
        let (_, clock) = self.reading.as_mut().expect("it was just set");
        clock.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// `outcome` of a write, unless nothing was taken for too long.
    fn keep_writing<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.writing = None;
            return outcome;
        }
        let time = self.write_time;
        let clock = self.writing.get_or_insert_with(|| Box::pin(sleep(time)));
        clock.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(cx, buf);
        if outcome.is_pending() {
            return this.wait_for_client(cx);
        }
        if buf.filled().len() > before {
            let step = this.turn.step();
            if step.is_multiple_of(2) {
                this.head_in = Some(step);
            }
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.keep_writing(cx, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.keep_writing(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(cx);
        this.keep_writing(cx, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
