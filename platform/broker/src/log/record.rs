//! The frames of the log.
//!
//! A segment starts with a 20-byte header: magic, first message id, crc of both. Then records: length of the body
//! (u32), crc32 of the body (u32), body: topic (u32), message id (u64), publish time in ms (u64), hash of the ordering
//! key (u64), payload. Numbers are little-endian.

use bytes::{BufMut, BytesMut};

const MAGIC: [u8; 8] = *b"broker01";
pub(super) const HEADER_BYTES: usize = 20;
pub(super) const FRAME_BYTES: usize = 8;
pub(super) const HEAD_BYTES: usize = 28;

/// The fixed part of a record's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) topic: u32,
    pub(super) id: u64,
    pub(super) publish_ms: u64,
    pub(super) key: u64,
}

/// The first bytes of a segment.
pub(super) fn header(first_id: u64) -> [u8; HEADER_BYTES] {
    let mut out = [0; HEADER_BYTES];
    out[..8].copy_from_slice(&MAGIC);
    out[8..16].copy_from_slice(&first_id.to_le_bytes());
    let crc = crc32fast::hash(&out[..16]);
    out[16..].copy_from_slice(&crc.to_le_bytes());
    out
}

/// The first message id of a segment, if these are a segment's first bytes.
pub(super) fn read_header(bytes: &[u8; HEADER_BYTES]) -> Option<u64> {
    let id = u64::from_le_bytes(bytes[8..16].try_into().ok()?);
    (header(id) == *bytes).then_some(id)
}

/// Appends a record.
pub(super) fn put(out: &mut BytesMut, head: Head, payload: &[u8]) {
    let start = out.len();
    // Both lengths are bounded by the publish limit.
    let len = u32::try_from(HEAD_BYTES + payload.len()).expect("a payload is far below 4 GiB");
    out.reserve(FRAME_BYTES + len as usize);
    out.put_u32_le(len);
    out.put_u32_le(0);
    out.put_u32_le(head.topic);
    out.put_u64_le(head.id);
    out.put_u64_le(head.publish_ms);
    out.put_u64_le(head.key);
    out.put_slice(payload);
    let crc = crc32fast::hash(&out[start + FRAME_BYTES..]);
    out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
}

/// Length and crc of the body behind a frame.
pub(super) fn read_frame(bytes: [u8; FRAME_BYTES]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = bytes;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

/// Head and payload of a body.
pub(super) fn read_body(body: &[u8]) -> Option<(Head, &[u8])> {
    let (head, payload) = body.split_at_checked(HEAD_BYTES)?;
    let number = |at: usize| head[at..at + 8].try_into().map(u64::from_le_bytes).unwrap_or_default();
    let topic = head[..4].try_into().map(u32::from_le_bytes).unwrap_or_default();
    Some((Head { topic, id: number(4), publish_ms: number(12), key: number(20) }, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_and_a_flipped_bit_is_seen() {
        let head = Head { topic: 3, id: 4, publish_ms: 5, key: 6 };
        let mut out = BytesMut::new();
        put(&mut out, head, b"payload");
        let (len, crc) = read_frame(out[..FRAME_BYTES].try_into().unwrap());
        let body = &out[FRAME_BYTES..];
        assert_eq!(len as usize, body.len());
        assert_eq!(crc, crc32fast::hash(body));
        assert_eq!(read_body(body), Some((head, &b"payload"[..])));
        let mut bad = body.to_vec();
        bad[9] ^= 1;
        assert_ne!(crc, crc32fast::hash(&bad));
        assert_eq!(read_header(&header(77)), Some(77));
        assert_eq!(read_header(&[0; HEADER_BYTES]), None);
    }
}
