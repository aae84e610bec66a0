//! Reads the records of a segment one after the other.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::record::{self, FRAME_BYTES, HEAD_BYTES, HEADER_BYTES, Head};
use crate::limits::RECORD_BYTES;

/// Bytes read from the file at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// The records of a segment from a place on. Has a cursor of its own, so that several readers do not disturb each other.
pub(super) struct Reader<'a> {
    file: &'a File,
    /// Where the next record starts.
    at: u64,
    /// Bytes of the file from `start` on.
    buffer: Vec<u8>,
    start: u64,
}

/// A record whose checksum is right.
pub(super) struct Record<'a> {
    pub(super) head: Head,
    pub(super) payload: &'a [u8],
    /// Where the payload starts in the file.
    pub(super) offset: u64,
}

impl<'a> Reader<'a> {
    /// A reader that starts behind the header.
    pub(super) fn new(file: &'a File) -> Reader<'a> {
        Reader::from(file, HEADER_BYTES as u64)
    }

    /// A reader that starts at a record.
    pub(super) fn from(file: &'a File, at: u64) -> Reader<'a> {
        Reader { file, at, buffer: Vec::new(), start: at }
    }

    /// Where the next record starts, or would.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The next record; `None` where the whole ones end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        let at = self.at;
        if !self.have(FRAME_BYTES)? {
            return Ok(None);
        }
        let from = self.index(at);
        let frame = self.buffer[from..from + FRAME_BYTES].try_into().unwrap_or_default();
        let (len, crc) = record::read_frame(frame);
        let len = len as usize;
        if !(HEAD_BYTES..=RECORD_BYTES).contains(&len) || !self.have(FRAME_BYTES + len)? {
            return Ok(None);
        }
        let from = self.index(at) + FRAME_BYTES;
        let body = &self.buffer[from..from + len];
        if crc32fast::hash(body) != crc {
            return Ok(None);
        }
        self.at = at + (FRAME_BYTES + len) as u64;
        let offset = at + (FRAME_BYTES + HEAD_BYTES) as u64;
        Ok(record::read_body(body).map(|(head, payload)| Record { head, payload, offset }))
    }

    fn index(&self, at: u64) -> usize {
        usize::try_from(at - self.start).expect("the buffer holds what is read")
    }

    /// Makes sure that so many bytes from the next record on are in the buffer. False when the file ends before.
    fn have(&mut self, bytes: usize) -> io::Result<bool> {
        let from = self.index(self.at);
        if self.buffer.len() - from >= bytes {
            return Ok(true);
        }
        self.buffer.drain(..from);
        self.start = self.at;
        let mut filled = self.buffer.len();
        self.buffer.resize(filled + bytes.max(CHUNK_BYTES), 0);
        while filled < self.buffer.len() {
            match self.file.read_at(&mut self.buffer[filled..], self.start + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.buffer.truncate(filled);
        Ok(self.buffer.len() >= bytes)
    }
}
