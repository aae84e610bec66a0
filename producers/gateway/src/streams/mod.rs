//! `GET /v1/orders/{orderId}/events`: an order's progress as it happens, as server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! One watch per order asks the services for its story, at a bounded rate and for all streams of that order together. What it has
//! heard is a list that only grows; a stream is a place on that list. So a slow reader costs nothing: it is given what comes after its
//! place when it reads, and the list is there once.
//!
//! An event's id is its place on the list and which list that is: a list is in the order in which its watch heard, and another watch may
//! hear in another order. A client that comes back with a place on another list hears everything again, rather than missing anything.

mod feed;
mod progress;
mod stories;
mod watcher;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use events::OrderId;
use runtime::{Problem, clock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use self::feed::Feed;
use self::progress::Progress;
use self::stories::Silent;
use crate::admission::{Bearer, Principal, Seed};
use crate::peers::Peers;

/// `id` of the event that ends a stream. A client that comes back with it has heard everything.
const END: &str = "end";
/// Stories asked for at once, of all orders: at most so many requests reach each service.
const POLLS: usize = 16;

/// How many streams, and how many of them for one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLimits {
    /// Streams at once.
    pub total: usize,
    /// Streams of one subject at once.
    pub per_subject: usize,
}

/// All streams and what they watch.
pub(crate) struct Streams {
    peers: Arc<Peers>,
    limits: StreamLimits,
    room: Arc<Semaphore>,
    polls: Semaphore,
    silent: Silent,
    seed: Seed,
    subjects: Mutex<HashMap<Bearer, usize>>,
    watched: Mutex<HashMap<OrderId, watch::Sender<Progress>>>,
    closing: watch::Sender<bool>,
}

/// A stream's place; given back when dropped.
struct Place {
    streams: Arc<Streams>,
    subject: Bearer,
    _room: OwnedSemaphorePermit,
}

impl Streams {
    pub(crate) fn new(peers: Arc<Peers>, limits: StreamLimits) -> Arc<Self> {
        Arc::new(Self {
            peers,
            limits,
            room: Arc::new(Semaphore::new(limits.total)),
            polls: Semaphore::new(POLLS),
            silent: Silent::default(),
            seed: Seed::default(),
            subjects: Mutex::default(),
            watched: Mutex::default(),
            closing: watch::Sender::new(false),
        })
    }

    /// Opens a stream of `order` for `principal`, who may see it, from after the event with the id `last` on.
    ///
    /// # Errors
    /// 429 when the subject has enough of them, 503 when there are enough of them.
    pub(crate) fn open(
        self: &Arc<Self>,
        principal: &Principal,
        order: OrderId,
        last: Option<String>,
    ) -> Result<Response, Problem> {
        if last.as_deref() == Some(END) {
            // The answer that tells a browser not to come back.
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        let place = self.place(self.seed.bearer(principal))?;
        let progress = self.watch(order)?;
        let feed = Feed::new(progress, self.closing.subscribe(), last, principal.acts_for_any(), place);
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            // Proxies that gather answers before they pass them on leave this one alone.
            (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
        ];
        Ok((headers, Body::from_stream(feed.stream())).into_response())
    }

    /// Streams at this moment.
    pub(crate) fn open_now(&self) -> u32 {
        u32::try_from(self.limits.total - self.room.available_permits()).unwrap_or(u32::MAX)
    }

    /// Ends every stream: clients come back, to whoever listens then.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    fn place(self: &Arc<Self>, subject: Bearer) -> Result<Place, Problem> {
        let room = Arc::clone(&self.room).try_acquire_owned();
        let room =
            room.map_err(|_| Problem::unavailable("too_many_streams", "there are too many streams, try again"))?;
        let mut subjects = lock(&self.subjects);
        let count = subjects.entry(subject).or_default();
        if *count >= self.limits.per_subject {
            let detail = format!("{} streams are open already, close one", self.limits.per_subject);
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail));
        }
        *count += 1;
        Ok(Place { streams: Arc::clone(self), subject, _room: room })
    }

    /// What is heard of `order`, by a watcher that is there already or a new one.
    fn watch(self: &Arc<Self>, order: OrderId) -> Result<watch::Receiver<Progress>, Problem> {
        let mut watched = lock(&self.watched);
        if let Some(sender) = watched.get(&order) {
            return Ok(sender.subscribe());
        }
        // Watchers stay for a while after their last stream; they are no more than twice as many as streams may be.
        if watched.len() >= self.limits.total * 2 {
            return Err(Problem::unavailable("too_many_streams", "too many orders are watched, try again"));
        }
        let (sender, receiver) = watch::channel(Progress::new(clock::new_id().simple().to_string()));
        watched.insert(order.clone(), sender.clone());
        tokio::spawn(watcher::run(Arc::clone(self), order, sender));
        Ok(receiver)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut subjects = lock(&self.streams.subjects);
        if let Some(count) = subjects.get_mut(&self.subject) {
            *count -= 1;
            if *count == 0 {
                subjects.remove(&self.subject);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
