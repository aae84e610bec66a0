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
    write_bytes: usize,
    /// The client's step in which the first bytes of a head have come.
    head_in: Option<u64>,
    /// What is waited for, and until when.
    reading: Option<(Wait, Pin<Box<Sleep>>)>,
    /// Bytes wait to be taken: how many were since the clock began to run, and until when they must have been enough.
    writing: Option<(usize, Pin<Box<Sleep>>)>,
}

/// What a client is waited for, in which of its steps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Head(u64),
    Request(u64),
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, turn: Turn, limits: &Limits) -> Self {
        let Limits { head_time, idle_time, write_time, write_bytes, .. } = *limits;
        // Who opens a connection has a request to send: the first head is due at once.
        let head_in = Some(turn.step());
        Self { stream, turn, head_time, idle_time, write_time, write_bytes, head_in, reading: None, writing: None }
    }

    /// Nothing came. Pending, until the client's time is over.
    fn wait_for_client(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let step = self.turn.step();
        if !step.is_multiple_of(2) || self.writing.is_some() {
            // The server is at work, or what it answered is still being read: bodies and answers have clocks of their own.
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

    /// `outcome` of writing `offered` bytes, unless too few were taken for too long. The clock runs only while bytes wait: a stream that
    /// says little is slow because we are.
    fn keep_writing(
        &mut self,
        cx: &mut Context<'_>,
        offered: usize,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match outcome {
            Poll::Ready(Ok(taken)) if taken < offered => {
                if let Some((since, clock)) = &mut self.writing {
                    *since += taken;
                    if *since >= self.write_bytes {
                        (*since, *clock) = (0, Box::pin(sleep(self.write_time)));
                    }
                }
                outcome
            }
            // All that there was is taken.
            Poll::Ready(_) => {
                if self.writing.take().is_some() {
                    // Now the client has something to send: whoever waits for it looks at the clock again.
                    cx.waker().wake_by_ref();
                }
                outcome
            }
            Poll::Pending => {
                let time = self.write_time;
                let (_, clock) = self.writing.get_or_insert_with(|| (0, Box::pin(sleep(time))));
                clock.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
        }
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
        this.keep_writing(cx, bytes.len(), outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.keep_writing(cx, slices.iter().map(|slice| slice.len()).sum(), outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // What the stream keeps to itself counts as one thing that is taken or not.
        let outcome = Pin::new(&mut this.stream).poll_flush(cx).map_ok(|()| 0);
        this.keep_writing(cx, 0, outcome).map_ok(|_| ())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};

    /// A connection of which 1,000 bytes are on the way at most, and the client's end of it.
    fn connection() -> (Paced<DuplexStream>, DuplexStream) {
        let (server, client) = duplex(1_000);
        (Paced::new(server, Turn::default(), &Limits::default()), client)
    }

    /// Reads `bytes` every ten seconds, to the end.
    async fn drip(mut client: DuplexStream, bytes: usize) {
        let mut piece = vec![0; bytes];
        loop {
            sleep(Duration::from_secs(10)).await;
            for byte in piece.chunks_mut(500) {
                if client.read_exact(byte).await.is_err() {
                    return;
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_cut_off() {
        let (mut server, _client) = connection();
        let ended = server.write_all(&[0; 1_001]).await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_a_little_now_and_then_is_cut_off() {
        for bytes in [500, 5_000] {
            let (mut server, client) = connection();
            let client = tokio::spawn(drip(client, bytes));
            let ended = server.write_all(&[0; 100_000]).await.unwrap_err();
            assert_eq!(ended.kind(), io::ErrorKind::TimedOut, "{bytes} bytes in ten seconds");
            client.abort();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_enough_is_not_hurried_and_afterwards_has_a_request_to_send() {
        let (server, client) = connection();
        tokio::spawn(drip(client, 10_000));
        let (mut read, mut write) = split(server);
        let written = Cell::new(false);
        let writing = async {
            // A minute and a half, longer than a client may be silent.
            write.write_all(&[0; 100_000]).await.unwrap();
            written.set(true);
        };
        let reading = async {
            let ended = read.read_u8().await.unwrap_err();
            assert!(written.get(), "{ended} while it reads");
            assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
        };
        tokio::join!(reading, writing);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_says_little_lives_on_with_a_client_that_listens() {
        let (mut server, mut client) = connection();
        let listening = tokio::spawn(async move { client.read_to_end(&mut Vec::new()).await });
        for _ in 0..1_000 {
            sleep(Duration::from_secs(29)).await;
            server.write_all(&[0; 400]).await.unwrap();
            server.flush().await.unwrap();
        }
        drop(server);
        assert_eq!(listening.await.unwrap().unwrap(), 400_000);
    }
}
