//! An envelope goes out and comes back the same, directly and through the CloudEvents SDK.

mod support;

use cloudevents::event::ExtensionValue;
use cloudevents::message::MessageDeserializer;
use cloudevents::{EventBuilder, EventBuilderV10};
use events::pubsub::Message;
use events::{Encoded, Envelope, EnvelopeError, cloudevent};
use proptest::prelude::*;
use support::arbitrary::envelope;
use support::samples;

fn through_sdk(message: Message) -> cloudevents::Event {
    MessageDeserializer::into_event(message).expect("the SDK reads what we write")
}

proptest! {
    #[test]
    fn an_envelope_survives_the_pubsub_message(envelope in envelope()) {
        let message = Message::from(envelope.clone());
        prop_assert_eq!(Envelope::try_from(message), Ok(envelope));
    }

    #[test]
    fn an_envelope_survives_the_sdk(envelope in envelope()) {
        let event = through_sdk(envelope.clone().into());
        prop_assert_eq!(cloudevent::to_envelope(&event), Ok(envelope));
    }

    #[test]
    fn the_sdk_writes_a_message_that_reads_the_same(envelope in envelope()) {
        let event = through_sdk(envelope.clone().into());
        let message = cloudevent::to_message(event).expect("the SDK writes what it read");
        prop_assert_eq!(Envelope::try_from(message), Ok(envelope));
    }
}

#[test]
fn samples_read_the_same_directly_and_through_the_sdk() {
    for sample in samples() {
        let direct = Envelope::try_from(sample.message());
        assert_eq!(cloudevent::to_envelope(&through_sdk(sample.message())), direct, "{}", sample.file);
    }
}

#[test]
fn a_structured_event_reads_as_the_same_fact() {
    for sample in samples() {
        let event = through_sdk(sample.message());
        let mut structured = serde_json::to_value(&event).expect("an event is JSON");
        structured.as_object_mut().expect("an event is an object").remove("data_base64");
        structured["data"] = sample.data.clone();
        let message = Message {
            attributes: [("Content-Type".to_owned(), "application/cloudevents+json; charset=UTF-8".to_owned())].into(),
            data: structured.to_string().into_bytes(),
        };

        let heard = cloudevent::to_envelope(&through_sdk(message)).expect("the same event");

        let direct: Envelope<Encoded> = sample.message().try_into().expect("a sample is an envelope");
        let data: serde_json::Value = serde_json::from_str(&heard.data.0).expect("the same payload");
        assert_eq!(heard.with_data(()), direct.with_data(()), "{}", sample.file);
        assert_eq!(data, sample.data, "{}", sample.file);
    }
}

fn built() -> EventBuilderV10 {
    EventBuilderV10::new()
        .id("event-1")
        .source("//onlineboutique.com/checkout")
        .ty("com.onlineboutique.order.cancelled.v1")
        .subject("orders/o-1")
        .time("2026-03-14T10:26:53.000000001+01:00")
        .extension("partitionkey", "o-1")
        .extension("correlationid", "event-0")
}

#[test]
fn an_event_of_another_zone_keeps_its_instant_to_the_nanosecond() {
    let event = built().build().expect("complete");
    let envelope = cloudevent::to_envelope(&event).expect("complete");
    assert_eq!(envelope.time.to_string(), "2026-03-14T09:26:53.000000001Z");
}

#[test]
fn sdk_extensions_become_text_and_never_shadow_the_context() {
    let event = built()
        .extension("attempt", 7)
        .extension("urgent", ExtensionValue::Boolean(true))
        .extension("id", "forged")
        .extension("specversion", "9")
        .build()
        .expect("complete");
    let envelope = cloudevent::to_envelope(&event).expect("complete");
    assert_eq!(envelope.id.as_str(), "event-1");
    assert_eq!(envelope.extensions["attempt"], "7");
    assert_eq!(envelope.extensions["urgent"], "true");
    assert_eq!(envelope.extensions.len(), 2);
}

#[test]
fn an_extension_never_shadows_the_context_on_its_way_out() {
    let mut envelope = cloudevent::to_envelope(&built().build().expect("complete")).expect("complete");
    envelope.extensions.insert("id".to_owned(), "forged".to_owned());
    assert_eq!(Message::from(envelope).attributes["ce-id"], "event-1");
}

#[test]
fn the_sdk_path_refuses_what_the_direct_path_refuses() {
    let sample = samples().remove(0);
    for version in [None, Some("0.3"), Some("1.1"), Some("")] {
        let mut message = sample.message();
        message.attributes.remove("ce-specversion");
        message.attributes.extend(version.map(|version| ("ce-specversion".to_owned(), version.to_owned())));
        assert!(Envelope::try_from(message.clone()).is_err(), "{version:?}");
        let event = MessageDeserializer::into_event(message);
        assert!(event.map_or(true, |event| cloudevent::to_envelope(&event).is_err()), "{version:?}");
    }
    let unnamed = built().extension("Not-A-Name", "x").build().expect("the SDK takes any name");
    let error = cloudevent::to_envelope(&unnamed).expect_err("not an extension name").to_string();
    assert_eq!(error, "Not-A-Name: is not an extension name of a-z 0-9");
    let anonymous = built().id("").build().expect("the SDK takes an empty id");
    assert_eq!(cloudevent::to_envelope(&anonymous), Err(EnvelopeError::Missing("id")));
}
