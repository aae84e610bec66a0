//! What a start finds in the data directory.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::acks::Acked;
use super::reader::Reader;
use super::record::{self, HEADER_BYTES};
use super::segment::{self, Segment, Stored};
use super::writer::create;
use crate::error::BrokerError;
use crate::limits::{GROUP_BYTES, LOCK_SECONDS, RECORD_BYTES};

/// The most that one group can take: what fills it, and the request that overfills it.
const LAST_GROUP_BYTES: u64 = (GROUP_BYTES + 2 * RECORD_BYTES) as u64;

/// The log as it was left.
pub(crate) struct Recovered {
    /// Segments that are not written to any more, with their sizes.
    pub(super) older: BTreeMap<u64, (Arc<Segment>, u64)>,
    pub(super) active: Arc<Segment>,
    pub(super) end: u64,
    pub(super) last: Last,
}

/// What the next message must come after.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub(super) next_id: u64,
    pub(super) publish_ms: u64,
}

/// A message found in the log, and what its ack file says.
pub(crate) struct Found<'a> {
    pub(crate) topic: u32,
    pub(crate) stored: Arc<Stored>,
    pub(crate) payload: &'a [u8],
    acked: &'a Acked,
}

impl Found<'_> {
    /// Whether this subscription is done with the message.
    pub(crate) fn is_done(&self, subscription: u32) -> bool {
        self.acked.done.contains(&(subscription, self.stored.id))
    }

    /// How often this subscription failed to deliver the message.
    pub(crate) fn attempts(&self, subscription: u32) -> u16 {
        self.acked.attempts.get(&(subscription, self.stored.id)).copied().unwrap_or(0)
    }
}

/// Makes the data directory and takes its lock, waiting a little for a broker that is stopping.
pub(crate) fn lock(dir: &Path) -> Result<File, BrokerError> {
    let data = |source| BrokerError::Data { path: dir.to_owned(), source };
    fs::create_dir_all(dir).map_err(data)?;
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(dir.join("lock")).map_err(data)?;
    let pause = Duration::from_millis(20);
    for _ in 0..LOCK_SECONDS * 50 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
            Err(TryLockError::Error(source)) => return Err(data(source)),
        }
    }
    Err(BrokerError::InUse { path: dir.to_owned() })
}

/// Reads the log, cuts off a torn end, and shows every message to `visit` in publish order. The ids of an empty
/// directory start at `first_id`.
///
/// # Errors
/// [`BrokerError::Damaged`] where a crash cannot have torn the log.
pub(crate) fn recover(dir: &Path, first_id: u64, mut visit: impl FnMut(&Found)) -> Result<Recovered, BrokerError> {
    let data = |source| BrokerError::Data { path: dir.to_owned(), source };
    let mut numbers = segments(dir).map_err(data)?;
    let mut older = BTreeMap::new();
    let mut last = Last { next_id: first_id, publish_ms: 0 };
    let mut newest = None;
    numbers.sort_unstable();
    for (i, &number) in numbers.iter().enumerate() {
        let is_last = i + 1 == numbers.len();
        let path = segment::path(dir, number);
        let at = |source| BrokerError::Data { path: path.clone(), source };
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(at)?;
        let Some(first) = header(&file).map_err(at)? else {
            if is_last && is_unborn(&file).map_err(at)? {
                fs::remove_file(&path).map_err(at)?;
                break;
            }
            return Err(BrokerError::Damaged { path, offset: 0 });
        };
        last.next_id = if i == 0 { first } else { last.next_id.max(first) };
        let size = file.metadata().map_err(at)?.len();
        let segment = Arc::new(Segment::new(dir, number, file));
        let (end, seen) = read(&segment, last, &mut visit).map_err(at)?;
        last = seen;
        if end < size {
            if !is_zero(&segment.file, end, size).map_err(at)? {
                // A crash tears what was written last: at most one group, at the end of the last segment.
                let torn = end + LAST_GROUP_BYTES;
                if !is_last || (torn < size && !is_zero(&segment.file, torn, size).map_err(at)?) {
                    return Err(BrokerError::Damaged { path, offset: end });
                }
                tracing::warn!(path = %path.display(), "the log's torn end is cut off");
            }
            segment.file.set_len(end).and_then(|()| segment.file.sync_all()).map_err(at)?;
        }
        if let Some((earlier, size)) = newest.replace((segment, end)) {
            older.insert(earlier.number, (earlier, size));
        }
    }
    drop_orphans(dir, &numbers).map_err(data)?;
    for (segment, _) in older.values() {
        segment.seal();
    }
    let (active, end) = match newest {
        Some(newest) => newest,
        None => {
            let number = numbers.last().map_or(1, |n| n + 1);
            (create(dir, number, last.next_id).map_err(data)?, HEADER_BYTES as u64)
        }
    };
    Ok(Recovered { older, active, end, last })
}

fn segments(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|n| n.strip_suffix(".log")).and_then(|n| n.parse::<u64>().ok());
        numbers.extend(number);
    }
    Ok(numbers)
}

/// Deletes ack files whose segment is gone.
fn drop_orphans(dir: &Path, numbers: &[u64]) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|n| n.strip_suffix(".acks")).and_then(|n| n.parse::<u64>().ok());
        if number.is_some_and(|n| !numbers.contains(&n)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn header(mut file: &File) -> io::Result<Option<u64>> {
    let mut bytes = [0; HEADER_BYTES];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(record::read_header(&bytes)),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(e) => Err(e),
    }
}

/// Whether a crash came between the making of the file and its first sync, before any message was in it.
fn is_unborn(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.len() <= HEADER_BYTES as u64)
}

/// Whether a file holds only zeros between two places: space that was reserved and not used.
fn is_zero(file: &File, mut from: u64, to: u64) -> io::Result<bool> {
    let mut bytes = vec![0; 1 << 16];
    while from < to {
        let len = usize::try_from(to - from).unwrap_or(usize::MAX).min(bytes.len());
        file.read_exact_at(&mut bytes[..len], from)?;
        if bytes[..len].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        from += len as u64;
    }
    Ok(true)
}

/// Shows the messages of a segment and says where the whole ones end, and id and publish time of the last.
fn read(segment: &Arc<Segment>, last: Last, visit: &mut impl FnMut(&Found)) -> io::Result<(u64, Last)> {
    let acked = crate::sync::lock(&segment.acks).load(segment)?;
    let mut reader = Reader::new(&segment.file);
    let mut last = last;
    while let Some(record) = reader.next()? {
        let Some(stored) = segment.stored(&record) else { break };
        let head = record.head;
        segment.note(head.topic, head.id, head.publish_ms);
        last = Last { next_id: last.next_id.max(head.id + 1), publish_ms: last.publish_ms.max(head.publish_ms) };
        visit(&Found { topic: head.topic, stored, payload: record.payload, acked: &acked });
    }
    Ok((reader.at(), last))
}
