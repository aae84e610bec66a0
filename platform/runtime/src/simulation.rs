//! What a simulation hands in instead of the machine: its own time, its own random numbers, and a way to other services without
//! sockets.
//!
//! They belong to a thread, because a simulation is one thread: whatever runs on it, also what services spawn, lives in the simulated
//! world. Elsewhere, that is always in production, what is here costs one look at a flag of the thread.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};

/// Time and chance of a simulated world. The same calls get the same answers in every run of a seed.
pub trait World {
    /// Now, in milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
    /// Now, for measuring.
    fn instant(&self) -> Instant;
    /// The next random number.
    fn random(&self) -> u128;
}

/// A simulated network, as one service sees it.
pub trait Wire: Send + Sync {
    /// Carries a request with an absolute URI to whom it names, and the answer back.
    ///
    /// # Errors
    /// When the connection broke, in words. What is lost without a trace never answers, as on a real network.
    fn carry(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, String>>;
}

thread_local! {
    /// Whether this thread is in a simulated world: all that production ever looks at.
    static SIMULATED: Cell<bool> = const { Cell::new(false) };
    static WORLD: RefCell<Option<Rc<dyn World>>> = const { RefCell::new(None) };
    static WIRE: RefCell<Option<Arc<dyn Wire>>> = const { RefCell::new(None) };
}

/// This thread is in a simulated world for as long as this lives.
#[must_use = "the world ends when this is dropped"]
pub struct Inside(PhantomData<Rc<()>>);

impl Drop for Inside {
    fn drop(&mut self) {
        SIMULATED.set(false);
        WORLD.take();
        WIRE.take();
    }
}

/// From now on [`clock`](crate::clock) answers on this thread with the world's time and chance.
///
/// # Panics
/// When the thread is in a world already.
pub fn enter(world: Rc<dyn World>) -> Inside {
    assert!(!SIMULATED.replace(true), "a thread is in one world at a time");
    WORLD.set(Some(world));
    Inside(PhantomData)
}

/// Runs `assemble`; each [`Peer`](crate::Peer) made meanwhile calls through `wire`.
pub fn on_wire<T>(wire: Arc<dyn Wire>, assemble: impl FnOnce() -> T) -> T {
    let before = WIRE.replace(Some(wire));
    let made = assemble();
    WIRE.set(before);
    made
}

/// The world this thread is in.
pub(crate) fn world() -> Option<Rc<dyn World>> {
    if SIMULATED.get() { WORLD.with_borrow(Clone::clone) } else { None }
}

/// The wire a new peer calls through.
pub(crate) fn wire() -> Option<Arc<dyn Wire>> {
    if SIMULATED.get() { WIRE.with_borrow(Clone::clone) } else { None }
}
