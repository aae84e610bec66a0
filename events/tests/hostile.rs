//! Whatever arrives, the answer is an event or an error that names the field; never a panic, never a text too long to log.

mod support;

use std::collections::BTreeMap;

use cloudevents::message::MessageDeserializer;
use events::envelope::{MAX_ATTRIBUTE_BYTES, MAX_DATA_BYTES};
use events::pubsub::{MAX_ATTRIBUTE_NAME_BYTES, MAX_ATTRIBUTES, Message};
use events::{Encoded, Envelope, EnvelopeError, cloudevent};
use proptest::prelude::*;
use support::arbitrary::CONTEXT;
use support::{FACTS, Sample, samples};

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(&CONTEXT[..]).prop_map(|name| format!("ce-{name}")),
        1 => Just("Content-Type".to_owned()),
        1 => "ce-[a-z0-9]{0,20}",
        1 => any::<String>(),
        1 => any::<String>().prop_map(|name| format!("ce-{name}")),
        1 => "ce-[a-z]{250,300}",
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => any::<String>(),
        2 => Just(String::new()),
        1 => "[ -~]{1020,1030}",
        1 => "[0-9T:Z. +-]{1,30}",
        1 => Just("\u{0}\n\u{202e}".to_owned()),
        1 => Just("application/json".to_owned()),
        1 => Just("text/plain".to_owned()),
        1 => Just("1.0".to_owned()),
    ]
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    let sample = prop::sample::select(samples()).prop_map(|sample| sample.data.to_string().into_bytes());
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        any::<String>().prop_map(String::into_bytes),
        (sample, any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut data, at, byte)| {
            let at = at.index(data.len());
            data[at] = byte;
            data
        }),
        (1usize..1_000).prop_map(|depth| "[".repeat(depth).into_bytes()),
        (1usize..1_000).prop_map(|depth| r#"{"lines":"#.repeat(depth).into_bytes()),
    ]
}

/// A real message with some of its attributes taken away, overwritten or added to.
fn message() -> impl Strategy<Value = Message> {
    let changes = prop::collection::btree_map(name(), prop::option::weighted(0.7, value()), 0..4);
    (prop::sample::select(samples()), changes, data()).prop_map(|(sample, changes, data)| {
        let mut attributes = sample.attributes;
        for (name, value) in changes {
            match value {
                Some(value) => attributes.insert(name, value),
                None => attributes.remove(&name),
            };
        }
        Message { attributes, data }
    })
}

fn check_text(error: &EnvelopeError) {
    let text = error.to_string();
    assert!(!text.is_empty() && text.len() <= MAX_ATTRIBUTE_BYTES, "{} bytes: {text}", text.len());
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_message_is_an_envelope_or_an_error_that_names_the_field(message in message()) {
        let attributes = message.attributes.clone();
        match Envelope::try_from(message) {
            Ok(envelope) => {
                let again = Envelope::try_from(Message::from(envelope.clone()));
                prop_assert_eq!(again, Ok(envelope));
            }
            Err(error) => {
                check_text(&error);
                let text = error.to_string();
                let named = CONTEXT.iter().any(|name| text.starts_with(name)) || text.starts_with("data");
                let clipped = |name: &String| name.chars().filter(|c| !c.is_control()).take(120).collect::<String>();
                let bare = |name: &String| clipped(&name.strip_prefix("ce-").unwrap_or(name).to_owned());
                let quoted = attributes.keys().any(|name| {
                    text.starts_with(&format!("{}: ", clipped(name))) || text.starts_with(&format!("{}: ", bare(name)))
                });
                prop_assert!(named || quoted, "{text}");
            }
        }
    }

    #[test]
    fn any_map_and_bytes_are_refused_without_a_panic(
        attributes in prop::collection::btree_map(name(), value(), 0..12),
        data in data(),
    ) {
        if let Err(error) = Envelope::try_from(Message { attributes, data }) {
            check_text(&error);
        }
    }

    #[test]
    fn any_payload_is_a_fact_or_an_error_that_names_the_field(message in message()) {
        let Ok(envelope) = Envelope::try_from(message) else { return Ok(()) };
        for fact in FACTS {
            if let Err(error) = (fact.say_again)(envelope.clone()) {
                check_text(&error);
                prop_assert!(error.to_string().contains(": "), "{error}");
            }
        }
    }

    #[test]
    fn both_paths_read_the_same_envelope_or_one_refuses(message in message()) {
        let direct = Envelope::try_from(message.clone());
        let Ok(event) = MessageDeserializer::into_event(message) else { return Ok(()) };
        let Ok(through_sdk) = cloudevent::to_envelope(&event) else { return Ok(()) };
        if let Ok(direct) = direct {
            prop_assert_eq!(through_sdk, direct);
        }
    }
}

fn sample() -> Sample {
    samples().into_iter().find(|sample| sample.file == "order.cancelled.v1/1.json").expect("the sample is there")
}

/// What a message with these changes to its attributes is refused with.
fn refusal(changes: &[(&str, Option<&str>)]) -> String {
    let mut message = sample().message();
    for (name, value) in changes {
        match value {
            Some(value) => message.attributes.insert((*name).to_owned(), (*value).to_owned()),
            None => message.attributes.remove(*name),
        };
    }
    Envelope::try_from(message).expect_err("a broken message").to_string()
}

#[test]
fn a_missing_or_empty_context_attribute_is_named() {
    for name in ["specversion", "id", "source", "type", "subject", "time", "partitionkey", "correlationid"] {
        let attribute = format!("ce-{name}");
        assert_eq!(refusal(&[(&attribute, None)]), format!("{name} is missing"));
        assert!(refusal(&[(&attribute, Some(""))]).starts_with(name), "{name}");
    }
}

#[test]
fn a_wrong_context_attribute_is_named() {
    let id_rule = "an id is 1 to 64 characters of A-Z a-z 0-9 - _ .";
    let over = "x".repeat(MAX_ATTRIBUTE_BYTES + 1);
    let long_name = format!("ce-{}", "x".repeat(MAX_ATTRIBUTE_NAME_BYTES));
    assert_eq!(refusal(&[("ce-id", Some("ünï"))]), format!("id: {id_rule}"));
    assert_eq!(refusal(&[("ce-correlationid", Some("a b"))]), format!("correlationid: {id_rule}"));
    assert_eq!(refusal(&[("ce-causationid", Some(&"x".repeat(65)))]), format!("causationid: {id_rule}"));
    assert_eq!(refusal(&[("ce-causationid", Some(""))]), "causationid is missing");
    assert_eq!(refusal(&[("ce-specversion", Some("0.3"))]), "specversion: is not 1.0");
    assert_eq!(refusal(&[("Content-Type", Some("text/plain"))]), "datacontenttype: is not JSON");
    assert_eq!(refusal(&[("ce-datacontenttype", Some("application/xml"))]), "datacontenttype: is not JSON");
    assert_eq!(refusal(&[("ce-source", Some(&over))]), "ce-source: is longer than 1024 bytes");
    assert_eq!(refusal(&[("ce-Loud", Some("x"))]), "Loud: is not an extension name of a-z 0-9");
    assert_eq!(refusal(&[("ce-", Some("x"))]), ": is not an extension name of a-z 0-9");
    assert!(refusal(&[(&long_name, Some("x"))]).ends_with("is a name longer than 256 bytes"));
}

#[test]
fn a_time_that_is_not_rfc_3339_is_refused() {
    let wrong = [
        "yesterday",
        "1773480413",
        "2026-03-14",
        "2026-03-14T09:26:53",
        "2026-03-14 09:26:53Z",
        "20260314T092653Z",
        "2026-03-14T09:26Z",
        "2026-03-14T09:26:53[UTC]",
        "2026-03-14T09:26:53Z[UTC]",
        "2026-02-30T09:26:53Z",
        "-002026-03-14T09:26:53Z",
        "2026-03-14T09:26:53,5Z",
        "２０２６-03-14T09:26:53Z",
    ];
    for text in wrong {
        assert_eq!(refusal(&[("ce-time", Some(text))]), "time: is not an RFC 3339 time", "{text}");
    }
}

#[test]
fn more_attributes_than_pubsub_takes_are_refused() {
    let attributes: BTreeMap<String, String> = (0..=MAX_ATTRIBUTES).map(|n| (format!("a{n}"), String::new())).collect();
    let error = Envelope::try_from(Message { attributes, data: Vec::new() }).expect_err("too many").to_string();
    assert_eq!(error, "attributes: are more than 100");
}

#[test]
fn a_payload_too_large_or_not_utf_8_is_refused() {
    let of = |data: Vec<u8>| Envelope::try_from(Message { data, ..sample().message() }).map(|_: Envelope<Encoded>| ());
    assert_eq!(of(vec![b' '; MAX_DATA_BYTES]), Ok(()));
    assert_eq!(of(vec![b' '; MAX_DATA_BYTES + 1]), Err(EnvelopeError::TooLarge(MAX_DATA_BYTES + 1)));
    let text = of(vec![b'"', 0xff, b'"']).expect_err("not UTF-8").to_string();
    assert_eq!(text, "data: is not UTF-8");
}

/// The reason of a dead letter travels as an attribute, so no payload may make it longer than one.
#[test]
fn a_hostile_payload_does_not_speak_through_the_error() {
    let long = "\\n🦀".repeat(20_000);
    let payloads = [
        format!(r#"{{"orderId":"o","reason":"{long}"}}"#),
        format!(r#"{{"{long}":{}"#, "[".repeat(1_000)),
        format!(r#"{{"orderId":"{long}"}}"#),
        format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!(r#"{{"added":{}"#, r#"{"a":"#.repeat(50_000)),
        "{} {}".to_owned(),
        String::new(),
        "null".to_owned(),
    ];
    for data in payloads {
        let envelope = Envelope::try_from(Message { data: data.into_bytes(), ..sample().message() })
            .expect("the context is sound");
        for fact in FACTS {
            let error = (fact.say_again)(envelope.clone()).expect_err("no fact");
            check_text(&error);
            let text = error.to_string();
            assert!(text.starts_with("data") || text.starts_with("partitionkey"), "{text}");
        }
    }
}
