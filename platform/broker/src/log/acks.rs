//! What became of the messages of a segment, in a file beside it.
//!
//! Records of 20 bytes: kind (u8: 1 ack, 2 failed attempts, 3 owed again after a seek), 0, attempts (u16), subscription (u32), message id (u64), crc32
//! of these. Each lands at a tracked offset, so that a write cut short by a full disk is written over by the next.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::segment::{Segment, Stored};
use crate::limits::UNSAVED_ACK_BYTES;
use crate::sync::lock;

const RECORD_BYTES: usize = 20;

/// A line of an ack file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ack {
    /// The subscription is done with the message.
    Done,
    /// The subscription failed to deliver the message so many times.
    Attempts(u16),
    /// The subscription owes the message again: it was sought. Takes back what was said before.
    Owed,
}

/// The ack file of one segment, opened when it is first needed.
#[derive(Debug)]
pub(super) struct AckFile {
    path: PathBuf,
    file: Option<File>,
    end: u64,
    unsaved: Vec<u8>,
}

/// What an ack file said.
#[derive(Debug, Default)]
pub(super) struct Acked {
    pub(super) done: HashSet<(u32, u64)>,
    pub(super) attempts: HashMap<(u32, u64), u16>,
}

impl AckFile {
    pub(super) fn beside(segment: &Path) -> AckFile {
        AckFile { path: segment.with_extension("acks"), file: None, end: 0, unsaved: Vec::new() }
    }

    /// Reads what an earlier run wrote, up to the first record that is torn.
    pub(super) fn load(&mut self, of: &Segment) -> io::Result<Acked> {
        let mut bytes = Vec::new();
        match File::open(&self.path) {
            Ok(mut file) => file.read_to_end(&mut bytes)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Acked::default()),
            Err(e) => return Err(e),
        };
        let mut acked = Acked::default();
        for record in bytes.chunks_exact(RECORD_BYTES) {
            let Some((ack, subscription, id)) = read(record) else { break };
            self.end += RECORD_BYTES as u64;
            match ack {
                Ack::Done => {
                    acked.done.insert((subscription, id));
                }
                Ack::Owed => {
                    acked.done.remove(&(subscription, id));
                    acked.attempts.remove(&(subscription, id));
                }
                Ack::Attempts(attempts) => {
                    let known = acked.attempts.entry((subscription, id)).or_default();
                    *known = attempts.max(*known);
                }
            }
        }
        of.set_ack_bytes(self.end);
        Ok(acked)
    }

    fn save(&mut self, of: &Segment) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => {
                let file = OpenOptions::new().write(true).create(true).truncate(false).open(&self.path)?;
                // What an earlier run wrote behind a tear must not be read behind what is written now.
                file.set_len(self.end)?;
                self.file.insert(file)
            }
        };
        file.write_all_at(&self.unsaved, self.end)?;
        self.end += self.unsaved.len() as u64;
        self.unsaved.clear();
        of.set_ack_bytes(self.end);
        Ok(())
    }
}

/// Segments whose acks could not be written when they should have been.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    segments: Mutex<Vec<Arc<Segment>>>,
    some: AtomicBool,
}

/// Writes what became of messages, each beside its segment, without waiting for the disk. In the order given.
///
/// # Errors
/// When the disk is full, say. What could not be written is kept and goes with the next call, whatever it is for;
/// until then every call fails.
pub(super) fn append<'a>(
    unsaved: &Unsaved,
    subscription: u32,
    acks: impl IntoIterator<Item = (&'a Arc<Stored>, Ack)>,
) -> io::Result<()> {
    let mut result = save(unsaved);
    let mut acks = acks.into_iter().peekable();
    while let Some((first, ack)) = acks.next() {
        let segment = &first.segment;
        let mut file = lock(&segment.acks);
        put(&mut file.unsaved, ack, subscription, first.id);
        while let Some((next, ack)) = acks.next_if(|(next, _)| Arc::ptr_eq(&next.segment, segment)) {
            put(&mut file.unsaved, ack, subscription, next.id);
        }
        if let Err(error) = file.save(segment) {
            // Beyond the limit the oldest are forgotten: those messages may come again after a restart.
            let excess = file.unsaved.len().saturating_sub(UNSAVED_ACK_BYTES).next_multiple_of(RECORD_BYTES);
            file.unsaved.drain(..excess.min(UNSAVED_ACK_BYTES));
            drop(file);
            let mut segments = lock(&unsaved.segments);
            if !segments.iter().any(|s| Arc::ptr_eq(s, segment)) {
                segments.push(Arc::clone(segment));
            }
            unsaved.some.store(true, Ordering::Release);
            result = Err(error);
        }
    }
    result
}

/// As [`append`], and waits for the disk.
pub(super) fn append_durably<'a>(
    unsaved: &Unsaved,
    subscription: u32,
    acks: impl IntoIterator<Item = (&'a Arc<Stored>, Ack)>,
) -> io::Result<()> {
    let mut segments: Vec<Arc<Segment>> = Vec::new();
    let noted = acks.into_iter().inspect(|(message, _)| {
        if segments.last().is_none_or(|last| !Arc::ptr_eq(last, &message.segment)) {
            segments.push(Arc::clone(&message.segment));
        }
    });
    append(unsaved, subscription, noted)?;
    segments.iter().try_for_each(|segment| match &lock(&segment.acks).file {
        Some(file) => file.sync_data(),
        None => Ok(()),
    })
}

/// Writes what could not be written before.
pub(super) fn save(unsaved: &Unsaved) -> io::Result<()> {
    if !unsaved.some.load(Ordering::Acquire) {
        return Ok(());
    }
    let mut segments = lock(&unsaved.segments);
    while let Some(segment) = segments.last() {
        // What is said of a segment that is deleted is of no use to anybody.
        if !segment.is_gone() {
            lock(&segment.acks).save(segment)?;
        }
        segments.pop();
    }
    unsaved.some.store(false, Ordering::Release);
    Ok(())
}

fn put(out: &mut Vec<u8>, ack: Ack, subscription: u32, id: u64) {
    let (kind, attempts) = match ack {
        Ack::Done => (1u8, 0),
        Ack::Attempts(attempts) => (2, attempts),
        Ack::Owed => (3, 0),
    };
    let start = out.len();
    out.extend_from_slice(&[kind, 0]);
    out.extend_from_slice(&attempts.to_le_bytes());
    out.extend_from_slice(&subscription.to_le_bytes());
    out.extend_from_slice(&id.to_le_bytes());
    let crc = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&crc.to_le_bytes());
}

fn read(record: &[u8]) -> Option<(Ack, u32, u64)> {
    let (body, crc) = record.split_at_checked(16)?;
    if u32::from_le_bytes(crc.try_into().ok()?) != crc32fast::hash(body) {
        return None;
    }
    let attempts = u16::from_le_bytes([body[2], body[3]]);
    let ack = match body[0] {
        1 => Ack::Done,
        2 => Ack::Attempts(attempts),
        3 => Ack::Owed,
        _ => return None,
    };
    Some((ack, u32::from_le_bytes(body[4..8].try_into().ok()?), u64::from_le_bytes(body[8..16].try_into().ok()?)))
}
