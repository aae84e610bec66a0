//! What waits for the log's writer, and the way there.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::Recent;
use super::acks::{self, Ack, Unsaved};
use super::claims::Claims;
use super::recovery::Recovered;
use super::scan::Extent;
use super::segment::Stored;
use super::writer::Writer;
use crate::clock::Clock;
use crate::error::Refusal;
use crate::limits::WAITING_BYTES;
use crate::message::Incoming;
use crate::settings::Settings;
use crate::sync::lock;

/// Where published messages go once they are on disk. Called by the writer, in log order.
pub(crate) trait Destination: Send + Sync {
    /// The topic's number in the log.
    fn number(&self) -> u32;
    /// The topic's name.
    fn name(&self) -> &str;
    /// False once the topic is deleted.
    fn is_open(&self) -> bool;
    /// Takes the messages of one publish, in order.
    fn receive(&self, messages: &[Published]);
}

/// A message that is on disk, with its payload.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) stored: Arc<Stored>,
    pub(crate) payload: Bytes,
}

/// Messages to write.
pub(crate) struct Publish {
    pub(crate) to: Arc<dyn Destination>,
    pub(crate) messages: Vec<Incoming>,
    /// The id of the first message; the others follow without gaps.
    pub(crate) answer: oneshot::Sender<Result<u64, Refusal>>,
}

/// A change of the catalogue, run between two groups.
pub(crate) type Admin = Box<dyn FnOnce(&LogView) + Send>;

/// The log as the writer sees it between two groups.
pub(crate) struct LogView<'a> {
    pub(super) writer: &'a Writer,
}

impl LogView<'_> {
    /// The id that the next message will get.
    pub(crate) fn next_id(&self) -> u64 {
        self.writer.next_id()
    }

    /// All there is.
    pub(crate) fn extent(&self) -> Extent {
        self.writer.extent()
    }
}

pub(super) enum Command {
    Publish(Publish),
    Admin(Admin),
    Reclaim(u64),
    ReclaimAll,
    Stop,
}

#[derive(Default)]
struct Waiting {
    commands: Vec<Command>,
    bytes: usize,
    closed: bool,
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    ready: Condvar,
}

impl Queue {
    fn push(&self, command: Command, bytes: usize) -> Result<(), Refusal> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Err(Refusal::unavailable("the broker is stopping"));
        }
        if waiting.bytes + bytes > WAITING_BYTES && waiting.bytes > 0 {
            return Err(Refusal::unavailable("too many messages wait for the disk; try again"));
        }
        waiting.closed = matches!(command, Command::Stop);
        waiting.bytes += bytes;
        waiting.commands.push(command);
        if waiting.commands.len() == 1 {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// All that waits; waits itself for the first.
    pub(super) fn take(&self) -> Vec<Command> {
        let mut waiting = lock(&self.waiting);
        while waiting.commands.is_empty() {
            waiting = self.ready.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.bytes = 0;
        std::mem::take(&mut waiting.commands)
    }
}

/// Closes the queue when the writer ends, and be it by a panic: who waits for it is told, and nobody waits any more.
struct Closing<'a>(&'a Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let mut waiting = lock(&self.0.waiting);
        waiting.closed = true;
        waiting.commands.clear();
    }
}

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct Log {
    queue: Arc<Queue>,
    unsaved: Arc<Unsaved>,
    claims: Arc<Claims>,
}

impl Log {
    /// A way to a writer that does not run yet.
    pub(crate) fn new() -> Log {
        Log { queue: Arc::default(), unsaved: Arc::default(), claims: Arc::default() }
    }

    /// Starts the writer where recovery left off. It keeps `lock` for as long as it runs.
    pub(crate) fn start(
        &self,
        settings: &Settings,
        recovered: Recovered,
        recent: Arc<Recent>,
        clock: Clock,
        lock: File,
    ) -> io::Result<JoinHandle<()>> {
        let mut writer = Writer::new(settings, recovered, recent, Arc::clone(&self.claims), clock);
        let waiting = Arc::clone(&self.queue);
        std::thread::Builder::new().name("broker-log".to_owned()).spawn(move || {
            let closing = Closing(&waiting);
            writer.run(&waiting);
            drop(closing);
            drop(lock);
        })
    }

    /// Queues messages for the next group.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the broker stops or too much waits.
    pub(crate) fn publish(&self, publish: Publish) -> Result<(), Refusal> {
        let bytes = publish.messages.iter().map(|m| m.payload.len()).sum();
        self.queue.push(Command::Publish(publish), bytes)
    }

    /// Queues a change of the catalogue.
    pub(crate) fn admin(&self, admin: Admin) -> Result<(), Refusal> {
        self.queue.push(Command::Admin(admin), 0)
    }

    /// Writes what became of messages for a subscription, without waiting for the disk.
    ///
    /// # Errors
    /// When it cannot be written now. It is kept, and written as soon as that works.
    pub(crate) fn append_acks<'a>(
        &self,
        subscription: u32,
        acks: impl IntoIterator<Item = (&'a Arc<Stored>, Ack)>,
    ) -> io::Result<()> {
        acks::append(&self.unsaved, subscription, acks)
    }

    /// As [`Log::append_acks`], and waits for the disk.
    ///
    /// # Errors
    /// As [`Log::append_acks`].
    pub(crate) fn append_acks_durably<'a>(
        &self,
        subscription: u32,
        acks: impl IntoIterator<Item = (&'a Arc<Stored>, Ack)>,
    ) -> io::Result<()> {
        acks::append_durably(&self.unsaved, subscription, acks)
    }

    /// Writes acks that could not be written before.
    pub(crate) fn save_acks(&self) {
        // The failure was reported when the ack came, and the next call tries again.
        let _ = acks::save(&self.unsaved);
    }

    /// What keeps messages that nobody is owed.
    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Looks for segments that nothing holds any more.
    pub(crate) fn reclaim(&self) {
        // Refused only when the broker stops; the next start looks at all segments anyway.
        let _ = self.queue.push(Command::ReclaimAll, 0);
    }

    /// A subscription owes a message no more.
    pub(crate) fn settle(&self, stored: &Stored) {
        if stored.segment.settle() {
            // Refused only when the broker stops; the next start looks at all segments anyway.
            let _ = self.queue.push(Command::Reclaim(stored.segment.number), 0);
        }
    }

    /// Lets the writer finish what waits and end.
    pub(crate) fn stop(&self) {
        // Refused only when it was told before.
        let _ = self.queue.push(Command::Stop, 0);
    }
}
