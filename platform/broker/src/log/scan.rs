//! Reads a topic's messages back from the log, for a seek.

use std::io;
use std::sync::Arc;

use super::reader::Reader;
use super::record::HEADER_BYTES;
use super::segment::{Segment, Stored};

/// A stretch of the log: segments in order, each with where its records start and end.
pub(crate) struct Extent {
    parts: Vec<(Arc<Segment>, u64, u64)>,
}

/// Messages with a smaller id or an earlier time need not be shown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Start {
    pub(crate) id: u64,
    pub(crate) publish_ms: u64,
}

impl Extent {
    /// Whole segments, each with where its records end.
    pub(super) fn of(segments: impl Iterator<Item = (Arc<Segment>, u64)>) -> Extent {
        Extent { parts: segments.map(|(segment, end)| (segment, HEADER_BYTES as u64, end)).collect() }
    }

    /// What of it is behind an earlier extent.
    pub(crate) fn since(self, earlier: &Extent) -> Extent {
        let seen =
            |segment: &Segment| earlier.parts.iter().find(|(s, ..)| s.number == segment.number).map(|part| part.2);
        let parts = self.parts.into_iter().map(|(segment, from, end)| {
            let from = seen(&segment).unwrap_or(from);
            (segment, from, end)
        });
        Extent { parts: parts.collect() }
    }

    /// Shows the messages of a topic, in order, with their payloads.
    pub(crate) fn scan(&self, topic: u32, start: Start, mut visit: impl FnMut(Arc<Stored>, &[u8])) -> io::Result<()> {
        for (segment, from, end) in self.parts.iter().filter(|(segment, ..)| segment.reaches(topic, start)) {
            let mut reader = Reader::from(&segment.file, *from);
            while reader.at() < *end {
                let Some(record) = reader.next()? else { break };
                let head = record.head;
                if head.topic != topic || head.id < start.id || head.publish_ms < start.publish_ms {
                    continue;
                }
                if let Some(stored) = segment.stored(&record) {
                    visit(stored, record.payload);
                }
            }
        }
        Ok(())
    }
}
