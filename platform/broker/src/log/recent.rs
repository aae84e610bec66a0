//! Payloads published lately, so that a delivery right after publish reads no file.

use std::collections::VecDeque;
use std::sync::Mutex;

use bytes::Bytes;

use crate::sync::lock;

/// A bounded window over the newest payloads. Message ids have no gaps along the log, so an id is an index.
#[derive(Debug)]
pub(crate) struct Recent {
    limit: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    first: u64,
    payloads: VecDeque<Bytes>,
    bytes: usize,
}

/// What an entry costs beside its payload.
const ENTRY_BYTES: usize = 64;

impl Recent {
    pub(crate) fn new(limit: usize) -> Recent {
        Recent { limit, inner: Mutex::default() }
    }

    /// Adds the payloads of one group, whose first has this id.
    pub(crate) fn add(&self, first: u64, payloads: impl Iterator<Item = Bytes>) {
        if self.limit == 0 {
            return;
        }
        let mut inner = lock(&self.inner);
        if inner.first + inner.payloads.len() as u64 != first {
            *inner = Inner { first, ..Inner::default() };
        }
        for payload in payloads {
            inner.bytes += payload.len() + ENTRY_BYTES;
            inner.payloads.push_back(payload);
            while inner.bytes > self.limit {
                let Some(oldest) = inner.payloads.pop_front() else { break };
                inner.bytes -= oldest.len() + ENTRY_BYTES;
                inner.first += 1;
            }
        }
    }

    /// The payload of this message, if it is recent.
    pub(crate) fn get(&self, id: u64) -> Option<Bytes> {
        let inner = lock(&self.inner);
        let index = usize::try_from(id.checked_sub(inner.first)?).ok()?;
        inner.payloads.get(index).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_payloads_are_kept_up_to_the_limit() {
        let recent = Recent::new(4 * (ENTRY_BYTES + 10));
        for id in 100..110u64 {
            recent.add(id, std::iter::once(Bytes::from(vec![0u8; 10])));
        }
        let kept: Vec<u64> = (90..120).filter(|id| recent.get(*id).is_some()).collect();
        assert_eq!(kept, [106, 107, 108, 109]);
        recent.add(200, std::iter::once(Bytes::from_static(b"x")));
        assert_eq!(recent.get(109), None);
        assert_eq!(recent.get(200), Some(Bytes::from_static(b"x")));
    }
}
