//! Arbitrary envelopes.

use std::collections::BTreeMap;

use events::{Encoded, Envelope, EventId, Timestamp};
use proptest::prelude::*;

/// The first and last second of the years that RFC 3339 can write, 0000 to 9999; a day is left for zones.
const SECONDS: std::ops::Range<i64> = -62_167_132_800..253_402_214_400;
/// Context attributes; an extension cannot have such a name.
pub const CONTEXT: [&str; 14] = [
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "dataschema",
    "datacontenttype",
    "partitionkey",
    "correlationid",
    "causationid",
    "traceparent",
    "replayid",
    "replaytarget",
];

/// Any envelope that may be on the wire: of our types and of others, with all context fields, any text and any extensions.
pub fn envelope() -> impl Strategy<Value = Envelope<Encoded>> {
    let context = (event_id(), text(), event_type(), text(), time(), text(), event_id());
    let optional =
        (prop::option::of(event_id()), prop::option::of(text()), prop::option::of(text()), prop::option::of(text()));
    (context, optional, extensions(), any::<String>()).prop_map(|(context, optional, extensions, data)| {
        let (id, source, event_type, subject, time, partition_key, correlation_id) = context;
        let (causation_id, traceparent, replay_id, replay_target) = optional;
        Envelope {
            id,
            source,
            event_type,
            subject,
            time,
            partition_key,
            correlation_id,
            causation_id,
            traceparent,
            replay_id,
            replay_target,
            extensions,
            data: Encoded(data),
        }
    })
}

fn event_id() -> impl Strategy<Value = EventId> {
    "[A-Za-z0-9._-]{1,64}".prop_map(|text| text.parse().expect("the pattern is that of an id"))
}

/// Text as an attribute may hold it: of any script, long or short, never empty.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![8 => any::<String>().prop_filter("not empty", |text| !text.is_empty()), 1 => "[ -~]{1024}"]
}

fn event_type() -> impl Strategy<Value = String> {
    let known = prop::sample::select(events::topology::EVENTS).prop_map(|row| row.event_type.to_owned());
    prop_oneof![known, r"com\.onlineboutique\.[a-z_]{1,20}\.[a-z_]{1,20}\.v[1-9]", r"[a-z.]{1,40}"]
}

fn time() -> impl Strategy<Value = Timestamp> {
    (SECONDS, prop_oneof![Just(0), Just(500_000_000), 0..1_000_000_000]).prop_map(|(second, nanosecond)| {
        Timestamp::new(second, nanosecond).expect("the years are those of a timestamp")
    })
}

fn extensions() -> impl Strategy<Value = BTreeMap<String, String>> {
    let name = "[a-z0-9]{1,20}".prop_filter("not of the context", |name| !CONTEXT.contains(&name.as_str()));
    prop::collection::btree_map(name, any::<String>(), 0..12)
}
