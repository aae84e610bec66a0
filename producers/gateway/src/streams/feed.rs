//! One client's stream: a place on an order's list, and what comes after it, as the client reads.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use futures::stream;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

use super::progress::Progress;
use super::{END, Place};

/// Something is sent at least this often, so that nobody in between takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a stream lives: a token's bearer is asked for it again from time to time. Clients come back where they were.
const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Facts given at once.
const BATCH: usize = 64;
/// When a client whose connection broke comes back, in milliseconds.
const RETRY_MS: u32 = 2_000;

pub(super) struct Feed {
    progress: watch::Receiver<Progress>,
    closing: watch::Receiver<bool>,
    /// Id of the last event the client has heard, until its place is found.
    last: Option<String>,
    place: usize,
    is_staff: bool,
    greeted: bool,
    ended: bool,
    lifetime: Pin<Box<Sleep>>,
    _place: Place,
}

impl Feed {
    pub(super) fn new(
        progress: watch::Receiver<Progress>,
        closing: watch::Receiver<bool>,
        last: Option<String>,
        is_staff: bool,
        place: Place,
    ) -> Self {
        let lifetime = Box::pin(sleep(LIFETIME));
        Self { progress, closing, last, place: 0, is_staff, greeted: false, ended: false, lifetime, _place: place }
    }

    /// What the client is sent. The next piece is made when the one before is on its way.
    pub(super) fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut feed| async move {
            let piece = feed.next().await?;
            Some((Ok(piece.into()), feed))
        })
    }

    async fn next(&mut self) -> Option<String> {
        if !self.greeted {
            // At once, so that the client knows that it is connected.
            self.greeted = true;
            return Some(format!("retry: {RETRY_MS}\n\n"));
        }
        loop {
            if self.ended {
                return None;
            }
            if let Some(piece) = self.at_hand() {
                return Some(piece);
            }
            tokio::select! {
                biased;
                _ = self.closing.wait_for(|closing| *closing) => return None,
                () = &mut self.lifetime => return None,
                changed = self.progress.changed() => changed.ok()?,
                () = sleep(HEARTBEAT) => return Some(": still here\n\n".to_owned()),
            }
        }
    }

    /// What is on the list after the client's place.
    fn at_hand(&mut self) -> Option<String> {
        let progress = self.progress.borrow_and_update();
        if !progress.asked {
            return None;
        }
        if let Some(last) = self.last.take() {
            self.place = progress.after(&last);
        }
        loop {
            let batch = progress.from(self.place, BATCH);
            if batch.is_empty() {
                break;
            }
            let told = batch.iter().zip(self.place..).filter(|(fact, _)| self.is_staff || fact.is_for_customers());
            let text: String = told.map(|(fact, place)| fact.render(&progress.id(place))).collect();
            self.place += batch.len();
            if !text.is_empty() {
                return Some(text);
            }
        }
        let end = progress.end()?;
        self.ended = true;
        Some(format!("id: {END}\nevent: end\ndata: {}\n\n", json!({ "fact": end.name })))
    }
}
