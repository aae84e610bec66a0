//! The one thread that writes the log: takes what waits, writes it at once, syncs once, answers all.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use bytes::{Bytes, BytesMut};
use tokio::sync::oneshot;

use super::acks::{self, Ack, Unsaved};
use super::record::{self, Head};
use super::recovery::Recovered;
use super::segment::{self, Segment, Stored};
use super::{Recent, record::HEADER_BYTES};
use crate::clock::Clock;
use crate::error::Refusal;
use crate::limits::{GROUP_BYTES, WAITING_BYTES};
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

/// A change of the catalogue, run between two groups with the id that the next message will get.
pub(crate) type Admin = Box<dyn FnOnce(u64) + Send>;

enum Command {
    Publish(Publish),
    Admin(Admin),
    Reclaim(u64),
    Stop,
}

#[derive(Default)]
struct Waiting {
    commands: Vec<Command>,
    bytes: usize,
    closed: bool,
}

#[derive(Default)]
struct Queue {
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

    fn take(&self) -> Vec<Command> {
        let mut waiting = lock(&self.waiting);
        while waiting.commands.is_empty() {
            waiting = self.ready.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.bytes = 0;
        std::mem::take(&mut waiting.commands)
    }
}

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct Log {
    queue: Arc<Queue>,
    unsaved: Arc<Unsaved>,
}

impl Log {
    /// A way to a writer that does not run yet.
    pub(crate) fn new() -> Log {
        Log { queue: Arc::default(), unsaved: Arc::default() }
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
        let mut writer = Writer {
            dir: settings.data.clone(),
            segment_bytes: settings.segment_bytes,
            disk_bytes: settings.disk_bytes,
            older: recovered.older,
            active: recovered.active,
            end: recovered.end,
            next_id: recovered.next_id,
            recent,
            clock,
        };
        let waiting = Arc::clone(&self.queue);
        std::thread::Builder::new().name("broker-log".to_owned()).spawn(move || {
            writer.run(&waiting);
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

    /// Writes acks that could not be written before.
    pub(crate) fn save_acks(&self) {
        // The failure was reported when the ack came, and the next call tries again.
        let _ = acks::save(&self.unsaved);
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

struct Writer {
    dir: PathBuf,
    segment_bytes: u64,
    disk_bytes: u64,
    /// Sealed segments that are still needed, with their sizes.
    older: BTreeMap<u64, (Arc<Segment>, u64)>,
    active: Arc<Segment>,
    end: u64,
    next_id: u64,
    recent: Arc<Recent>,
    clock: Clock,
}

impl Writer {
    fn run(&mut self, queue: &Queue) {
        self.reclaim_all();
        let mut group = Vec::new();
        loop {
            let mut bytes = 0;
            let mut stop = false;
            for command in queue.take() {
                match command {
                    Command::Publish(publish) => {
                        bytes += publish.messages.iter().map(|m| m.payload.len()).sum::<usize>();
                        group.push(publish);
                        if bytes >= GROUP_BYTES {
                            self.commit(&mut group);
                            bytes = 0;
                        }
                    }
                    Command::Admin(admin) => {
                        self.commit(&mut group);
                        bytes = 0;
                        admin(self.next_id);
                    }
                    Command::Reclaim(number) => self.reclaim(number),
                    Command::Stop => stop = true,
                }
            }
            self.commit(&mut group);
            if stop {
                return;
            }
        }
    }

    /// Makes a group durable, hands it to its destinations, and answers.
    fn commit(&mut self, group: &mut Vec<Publish>) {
        for publish in group.extract_if(.., |publish| !publish.to.is_open()) {
            // A publisher that is gone needs no answer.
            let _ = publish.answer.send(Err(Refusal::not_found("Topic", publish.to.name())));
        }
        if group.is_empty() {
            return;
        }
        let publish_ms = self.clock.wall_ms();
        let mut buffer = BytesMut::new();
        let mut id = self.next_id;
        for publish in group.iter() {
            for message in &publish.messages {
                let head = Head { topic: publish.to.number(), id, publish_ms, key: message.key };
                record::put(&mut buffer, head, &message.payload);
                id += 1;
            }
        }
        let buffer = buffer.freeze();
        if let Err(error) = self.write(&buffer) {
            tracing::warn!(%error, "publishes refused: the log cannot be written");
            for publish in group.drain(..) {
                let refusal = Refusal::unavailable(format!("the message cannot be stored: {error}"));
                // A publisher that is gone needs no answer.
                let _ = publish.answer.send(Err(refusal));
            }
            return;
        }
        self.deliver(group, &buffer, publish_ms);
        self.end += buffer.len() as u64;
        self.next_id = id;
    }

    fn deliver(&self, group: &mut Vec<Publish>, buffer: &Bytes, publish_ms: u64) {
        let mut at = 0;
        let mut id = self.next_id;
        let mut published = Vec::new();
        for publish in group.drain(..) {
            let first = id;
            published.clear();
            for message in &publish.messages {
                let start = at + record::FRAME_BYTES + record::HEAD_BYTES;
                at = start + message.payload.len();
                let offset = self.end + start as u64;
                // A segment is at most 1 GiB and a group, a payload at most 10 MB.
                let stored = Arc::new(Stored {
                    id,
                    publish_ms,
                    key: message.key,
                    segment: Arc::clone(&self.active),
                    offset: u32::try_from(offset).expect("a segment is smaller than 4 GiB"),
                    len: u32::try_from(message.payload.len()).expect("a payload is smaller than 4 GiB"),
                });
                published.push(Published { stored, payload: buffer.slice(start..at) });
                id += 1;
            }
            self.recent.add(first, published.iter().map(|p| p.payload.clone()));
            publish.to.receive(&published);
            // A publisher that is gone needs no answer: its messages are published.
            let _ = publish.answer.send(Ok(first));
        }
    }

    /// Writes a group behind the last one and waits for the disk. After an error the log is as it was.
    fn write(&mut self, buffer: &[u8]) -> io::Result<()> {
        let len = buffer.len() as u64;
        let used = self.end + self.older.values().map(|(_, size)| size).sum::<u64>();
        if used + len > u64::MAX - self.disk_bytes {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the broker's share of the disk is full"));
        }
        if self.end + len > self.segment_bytes && self.end > HEADER_BYTES as u64 {
            self.roll()?;
        }
        let written = self.active.file.write_all_at(buffer, self.end).and_then(|()| self.active.file.sync_data());
        if written.is_err() {
            // If this fails too, the next group is written over the remains.
            let _ = self.active.file.set_len(self.end);
        }
        written
    }

    /// Begins a new segment.
    fn roll(&mut self) -> io::Result<()> {
        let number = self.active.number + 1;
        let new = create(&self.dir, number, self.next_id)?;
        let old = std::mem::replace(&mut self.active, new);
        self.older.insert(old.number, (Arc::clone(&old), self.end));
        self.end = HEADER_BYTES as u64;
        old.seal();
        self.reclaim(old.number);
        Ok(())
    }

    fn reclaim_all(&mut self) {
        for number in self.older.keys().copied().collect::<Vec<_>>() {
            self.reclaim(number);
        }
    }

    /// Deletes a segment if nothing in it is needed.
    fn reclaim(&mut self, number: u64) {
        let Some((segment, _)) = self.older.get(&number).filter(|(segment, _)| segment.is_done()) else { return };
        for path in [segment.path.clone(), segment.path.with_extension("acks")] {
            if let Err(error) = fs::remove_file(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, path = %path.display(), "a segment that is done cannot be deleted");
            }
        }
        self.older.remove(&number);
    }
}

/// Makes an empty segment that is on disk when this returns.
pub(super) fn create(dir: &std::path::Path, number: u64, first_id: u64) -> io::Result<Arc<Segment>> {
    let path = segment::path(dir, number);
    let made = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path).and_then(|file| {
        file.write_all_at(&record::header(first_id), 0)?;
        file.sync_all()?;
        File::open(dir)?.sync_all()?;
        Ok(file)
    });
    match made {
        Ok(file) => Ok(Arc::new(Segment::new(dir, number, file))),
        Err(error) => {
            // It may not exist; a leftover without a whole header is dropped at the next start.
            let _ = fs::remove_file(&path);
            Err(error)
        }
    }
}
