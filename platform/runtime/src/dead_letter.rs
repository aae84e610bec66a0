//! A failed delivery on its way into the tables: the attempt, and for a permanent failure the dead letter.

use events::pubsub::{MAX_ATTRIBUTES, Message};
use events::{EventId, topology};
use store::attempts::{self, Attempt};
use store::{StoreError, Tx};

use crate::clock;
use crate::failure::{Failure, fingerprint};
use crate::publisher::Row;
use crate::transactor::push_row;

/// Which consumer failed.
pub const CONSUMER: &str = "dlconsumer";
/// Why, in one word of [`Code`](crate::Code).
pub const CODE: &str = "dlcode";
/// Why, for people.
pub const REASON: &str = "dlreason";
/// Equal for failures with one cause.
pub const FINGERPRINT: &str = "dlfingerprint";
/// How often the event has failed at this consumer, this time included.
pub const ATTEMPTS: &str = "dlattempts";
/// When it failed, RFC 3339.
pub const TIME: &str = "dltime";
/// Every attribute a consumer adds to what it puts on its dead-letter topic.
pub const NOTES: [&str; 6] = [CONSUMER, CODE, REASON, FINGERPRINT, ATTEMPTS, TIME];

/// Records the attempt; a permanent failure also goes into the outbox, for the consumer's dead-letter topic.
///
/// # Errors
/// Of the database.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    consumer: &str,
    message: Message,
    failure: &Failure,
) -> Result<Option<Row>, StoreError> {
    let (code, reason) = (failure.code(), failure.reason());
    let fingerprint = fingerprint(code, reason);
    let attribute = |name: &str| message.attributes.get(name).cloned().unwrap_or_default();
    let (event_id, event_type, subject) = (attribute("ce-id"), attribute("ce-type"), attribute("ce-subject"));
    let key = attribute("ce-partitionkey");
    let permanent = matches!(failure, Failure::Permanent { .. });
    let attempt = Attempt {
        consumer,
        event_id: &event_id,
        event_type: &event_type,
        kind: if permanent { "permanent" } else { "transient" },
        code,
        fingerprint: &fingerprint,
        reason,
        subject: &subject,
        at_ms: tx.now_ms(),
    };
    let number = attempts::record(tx, &attempt)?;
    if !permanent {
        return Ok(None);
    }
    let mut letter = message;
    make_room(&mut letter);
    let notes = [
        (CONSUMER, consumer.to_owned()),
        (CODE, code.to_owned()),
        (REASON, reason.to_owned()),
        (FINGERPRINT, fingerprint),
        (ATTEMPTS, number.to_string()),
        (TIME, clock::from_ms(tx.now_ms()).to_string()),
    ];
    letter.attributes.extend(notes.map(|(name, value)| (name.to_owned(), value)));
    if std::str::from_utf8(&letter.data).is_err() {
        letter.data = String::from_utf8_lossy(&letter.data).into_owned().into_bytes();
    }
    let id = EventId::from_uuid(events::id::derived("dead-letter", &format!("{consumer}/{event_id}/{number}")));
    push_row(tx, &topology::dead_letters(consumer), &key, &id, &event_type, &subject, letter).map(Some)
}

/// A message with as many attributes as Pub/Sub allows has no room for the notes, and would be refused for ever: attributes that are
/// not of the event's context give way.
fn make_room(letter: &mut Message) {
    let most = MAX_ATTRIBUTES - NOTES.len();
    let mut surplus = letter.attributes.len().saturating_sub(most);
    letter.attributes.retain(|name, _| {
        let gives_way = surplus > 0 && !name.starts_with("ce-");
        surplus -= usize::from(gives_way);
        !gives_way
    });
}
