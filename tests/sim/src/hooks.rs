//! Where a bug can be planted: around a transaction, and before a consumer's door.

use events::pubsub::Message;
use store::Tx;

use crate::world::World;

/// What a planted bug may do. None of it does anything unless it is overwritten.
pub trait Hooks: Send + Sync {
    /// A transaction of `service` has run; it is kept if `keeps` and nothing else goes wrong.
    fn before_commit(&self, _world: &World, _service: &'static str, _tx: &mut Tx<'_>, _keeps: bool) {}

    /// A transaction of `service` was undone; what is written here stays.
    fn undone(&self, _service: &'static str, _tx: &mut Tx<'_>) {}

    /// An event is pushed to `consumer`. A status answers it in the consumer's place.
    fn pushed(&self, _world: &World, _consumer: &'static str, _message: &Message) -> Option<u16> {
        None
    }
}

/// No bug.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NoHooks;

impl Hooks for NoHooks {}
