//! The one thread that writes the log: takes what waits, writes it at once, syncs once, answers all.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use rustix::fs::{FallocateFlags, fallocate};

use super::Recent;
use super::claims::Claims;
use super::queue::{Command, LogView, Publish, Published, Queue};
use super::record::{self, HEADER_BYTES, Head};
use super::recovery::{Last, Recovered};
use super::scan::Extent;
use super::segment::{self, Segment, Stored};
use crate::clock::Clock;
use crate::error::Refusal;
use crate::limits::{GROUP_BYTES, RESERVE_BYTES};
use crate::settings::Settings;

/// The writer's state. It runs on a thread of its own.
pub(super) struct Writer {
    dir: PathBuf,
    segment_bytes: u64,
    disk_bytes: u64,
    /// Sealed segments that are still needed, with their sizes.
    older: BTreeMap<u64, (Arc<Segment>, u64)>,
    active: Arc<Segment>,
    /// Behind the last record; from here on the active segment holds zeros, if anything.
    end: u64,
    /// Up to here the active segment has its place on the disk.
    reserved: u64,
    last: Last,
    recent: Arc<Recent>,
    claims: Arc<Claims>,
    clock: Clock,
}

impl Writer {
    /// A writer that goes on where recovery left off.
    pub(super) fn new(
        settings: &Settings,
        recovered: Recovered,
        recent: Arc<Recent>,
        claims: Arc<Claims>,
        clock: Clock,
    ) -> Writer {
        Writer {
            dir: settings.data.clone(),
            segment_bytes: settings.segment_bytes,
            disk_bytes: settings.disk_bytes,
            older: recovered.older,
            active: recovered.active,
            end: recovered.end,
            reserved: recovered.end,
            last: recovered.last,
            recent,
            claims,
            clock,
        }
    }

    /// Writes until it is told to stop.
    pub(super) fn run(&mut self, queue: &Queue) {
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
                        admin(&LogView { writer: self });
                    }
                    Command::Reclaim(number) => self.reclaim(number),
                    Command::ReclaimAll => self.reclaim_all(),
                    Command::Stop => stop = true,
                }
            }
            self.commit(&mut group);
            if stop {
                return;
            }
        }
    }

    /// The id that the next message will get.
    pub(super) fn next_id(&self) -> u64 {
        self.last.next_id
    }

    /// All there is.
    pub(super) fn extent(&self) -> Extent {
        let older = self.older.values().map(|(segment, end)| (Arc::clone(segment), *end));
        Extent::of(older.chain([(Arc::clone(&self.active), self.end)]))
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
        // Never back, whatever becomes of the machine's clock: a seek to a time cuts the log in two.
        let publish_ms = self.clock.wall_ms().max(self.last.publish_ms);
        let mut buffer = BytesMut::new();
        let mut id = self.last.next_id;
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
        self.last = Last { next_id: id, publish_ms };
    }

    fn deliver(&self, group: &mut Vec<Publish>, buffer: &Bytes, publish_ms: u64) {
        let mut at = 0;
        let mut id = self.last.next_id;
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
            self.active.note(publish.to.number(), id - 1, publish_ms);
            self.recent.add(first, published.iter().map(|p| p.payload.clone()));
            publish.to.receive(&published);
            // A publisher that is gone needs no answer: its messages are published.
            let _ = publish.answer.send(Ok(first));
        }
    }

    /// Writes a group behind the last one and waits for the disk. After an error the log is as it was.
    fn write(&mut self, buffer: &[u8]) -> io::Result<()> {
        let len = buffer.len() as u64;
        let older = self.older.values().map(|(segment, size)| size + segment.ack_bytes()).sum::<u64>();
        let used = older + self.end + self.active.ack_bytes();
        if used + len > self.disk_bytes {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the broker's share of the disk is full"));
        }
        if self.end + len > self.segment_bytes && self.end > HEADER_BYTES as u64 {
            self.roll()?;
        }
        self.reserve(len);
        let written = self.active.file.write_all_at(buffer, self.end).and_then(|()| flush(&self.active.file));
        if written.is_err() {
            // If this fails too, the next group is written over the remains.
            let _ = self.active.file.set_len(self.end);
            self.reserved = self.end;
        }
        written
    }

    /// Takes place on the disk ahead of the end, where the file system can.
    fn reserve(&mut self, len: u64) {
        if self.end + len <= self.reserved {
            return;
        }
        // Without it the write grows the file, and says so if it cannot.
        let _ = fallocate(&self.active.file, FallocateFlags::empty(), self.end, len + RESERVE_BYTES);
        self.reserved = self.end + len + RESERVE_BYTES;
    }

    /// Begins a new segment.
    fn roll(&mut self) -> io::Result<()> {
        let number = self.active.number + 1;
        let new = create(&self.dir, number, self.last.next_id)?;
        let old = std::mem::replace(&mut self.active, new);
        self.older.insert(old.number, (Arc::clone(&old), self.end));
        // What is reserved and not used is given back; if that fails it is but space.
        let _ = old.file.set_len(self.end);
        self.end = HEADER_BYTES as u64;
        self.reserved = self.end;
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
        let now_ms = self.clock.wall_ms();
        let done = |segment: &Segment| segment.is_done(&self.claims, now_ms);
        let Some((segment, _)) = self.older.get(&number).filter(|(segment, _)| done(segment)) else { return };
        segment.leave();
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

/// Waits until what was written is on disk.
fn flush(file: &File) -> io::Result<()> {
    #[cfg(debug_assertions)]
    if crate::planted::is_planted() {
        return Ok(());
    }
    file.sync_data()
}

/// Makes an empty segment that is on disk when this returns.
pub(super) fn create(dir: &Path, number: u64, first_id: u64) -> io::Result<Arc<Segment>> {
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
