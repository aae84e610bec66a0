//! A schema and its revisions.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use google_cloud_googleapis::pubsub::v1 as pb;

use super::{Definition, Type};
use crate::sync::{read, write};

/// A schema, alive or deleted.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) name: String,
    /// Oldest first, never empty.
    revisions: RwLock<Arc<Vec<Revision>>>,
    deleted: AtomicBool,
}

/// One definition of a schema.
#[derive(Debug, Clone)]
pub(crate) struct Revision {
    /// Grows with every revision of any schema, so that the order of two is known even when one is deleted.
    pub(crate) number: u32,
    pub(crate) config: pb::Schema,
    /// Parsed once. What another version of the broker accepted and this one does not is kept with the reason.
    pub(crate) definition: Result<Arc<Definition>, String>,
}

impl Revision {
    /// A new revision: the number becomes its id.
    pub(crate) fn new(number: u32, mut config: pb::Schema, definition: Arc<Definition>) -> Revision {
        config.revision_id = id_of(number);
        Revision { number, config, definition: Ok(definition) }
    }

    /// A revision of the catalogue.
    pub(crate) fn restored(config: pb::Schema) -> Revision {
        let definition = Definition::parse(config.r#type(), &config.definition).map(Arc::new);
        if let Err(why) = &definition {
            tracing::warn!(schema = %config.name, revision = %config.revision_id, why, "a schema cannot be read any more");
        }
        Revision { number: number_of(&config.revision_id).unwrap_or(0), config, definition }
    }

    pub(crate) fn id(&self) -> &str {
        &self.config.revision_id
    }
}

impl Schema {
    pub(crate) fn new(revisions: Vec<Revision>) -> Schema {
        let name = revisions.first().map(|r| r.config.name.clone()).unwrap_or_default();
        Schema { name, revisions: RwLock::new(Arc::new(revisions)), deleted: AtomicBool::new(false) }
    }

    /// Its revisions, oldest first.
    pub(crate) fn revisions(&self) -> Arc<Vec<Revision>> {
        Arc::clone(&read(&self.revisions))
    }

    pub(crate) fn set_revisions(&self, revisions: Vec<Revision>) {
        *write(&self.revisions) = Arc::new(revisions);
    }

    pub(crate) fn kind(&self) -> Type {
        self.revisions().first().map_or(Type::Unspecified, |r| r.config.r#type())
    }

    pub(crate) fn delete(&self) {
        self.deleted.store(true, Ordering::Release);
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }
}

/// The id of a revision: eight hexadecimal digits that look as the service's do, no two the same.
fn id_of(number: u32) -> String {
    // Each step can be undone, so no two numbers meet.
    let mut x = number;
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^= x >> 16;
    format!("{x:08x}")
}

/// The number behind an id, also of a revision that is deleted.
pub(super) fn number_of(id: &str) -> Option<u32> {
    if id.len() != 8 || !id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut x = u32::from_str_radix(id, 16).ok()?;
    x ^= x >> 16;
    x = x.wrapping_mul(0x4302_1123);
    x ^= x >> 15 ^ x >> 30;
    x = x.wrapping_mul(0x1d69_e2a5);
    x ^= x >> 16;
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_order_of_two_revisions_is_in_their_ids(number in any::<u32>()) {
            let id = id_of(number);
            prop_assert_eq!(id.len(), 8);
            prop_assert_eq!(number_of(&id), Some(number));
        }
    }

    #[test]
    fn what_is_no_id_has_no_number() {
        for bad in ["", "1234567", "123456789", "1234567g", "ABCDEF01", "+1234567"] {
            assert_eq!(number_of(bad), None, "{bad}");
        }
    }
}
