//! The samples in `schemas/samples` hold the types and the schemas together: what one takes or refuses, so does the other.

mod support;

use std::collections::BTreeSet;

use events::topology::EVENTS;
use events::{Encoded, Envelope};
use jsonschema::Validator;
use serde_json::{Value, json};
use support::mutate::mutations;
use support::{Sample, fact, samples};

/// Fewer mutations than this, and the walk through the schemas has lost its way.
const LEAST_MUTATIONS: usize = 1_000;

fn schema(sample: &Sample) -> Value {
    let row = EVENTS.iter().find(|row| row.event_type == sample.event_type).expect("a sample is of a known type");
    (row.schema)()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).expect("the schema is valid")
}

#[test]
fn every_event_has_a_sample_and_every_sample_an_event() {
    let sampled: BTreeSet<String> = samples().into_iter().map(|sample| sample.event_type).collect();
    let known: BTreeSet<String> = EVENTS.iter().map(|row| row.event_type.to_owned()).collect();
    assert_eq!(sampled, known);
}

#[test]
fn every_sample_decodes_and_is_said_again_exactly() {
    for sample in samples() {
        let envelope = Envelope::try_from(sample.message()).unwrap_or_else(|error| panic!("{}: {error}", sample.file));
        assert_eq!(envelope.event_type, sample.event_type, "{}", sample.file);
        envelope.check_version().unwrap_or_else(|error| panic!("{}: {error}", sample.file));

        let said = (fact(&sample.event_type).say_again)(envelope);
        let said = said.unwrap_or_else(|error| panic!("{}: {error}", sample.file));

        assert_eq!(said.attributes, sample.attributes, "{}", sample.file);
        let data: Value = serde_json::from_slice(&said.data).expect("a fact is JSON");
        assert_eq!(data, sample.data, "{}", sample.file);
    }
}

#[test]
fn every_sample_fits_its_schema() {
    for sample in samples() {
        let validator = validator(&schema(&sample));
        let errors: Vec<String> =
            validator.iter_errors(&sample.data).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", sample.file);
    }
}

#[test]
fn every_sample_has_the_attributes_that_asyncapi_promises() {
    for sample in samples() {
        let mut document = events::asyncapi::document();
        let name = sample.event_type.strip_prefix(events::topology::TYPE_PREFIX).expect("a type of ours");
        document["$ref"] = json!(format!("#/components/messages/{name}/headers"));
        let attributes = json!(sample.attributes);
        let errors: Vec<String> =
            validator(&document).iter_errors(&attributes).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", sample.file);
    }
}

#[test]
fn type_and_schema_refuse_the_same_payloads() {
    let mut tried = 0;
    for sample in samples() {
        let schema = schema(&sample);
        let validator = validator(&schema);
        for mutation in mutations(&schema, &sample.data) {
            let (file, what) = (&sample.file, &mutation.what);
            assert!(!validator.is_valid(&mutation.data), "{file}: the schema takes {what}");
            assert!(sample.type_takes(&mutation.data).is_err(), "{file}: the type takes {what}");
            tried += 1;
        }
    }
    assert!(tried >= LEAST_MUTATIONS, "only {tried} mutations tried");
}

/// A publisher newer than this program may add a member; that must not stop an older consumer.
#[test]
fn type_and_schema_ignore_members_they_do_not_know() {
    for sample in samples() {
        let mut data = sample.data.clone();
        data["addedLater"] = json!({ "deep": [1, "two", null] });
        assert!(validator(&schema(&sample)).is_valid(&data), "{}", sample.file);
        assert_eq!(sample.type_takes(&data), Ok(()), "{}", sample.file);
    }
}

#[test]
fn an_error_names_the_path_of_the_offending_field() {
    let confirmed = samples().into_iter().find(|sample| sample.file == "order.confirmed.v1/1.json");
    let confirmed = confirmed.expect("the first sample of all is there");
    let broken = |pointer: &str, value: Value| {
        let mut data = confirmed.data.clone();
        *data.pointer_mut(pointer).expect("the sample has the member") = value;
        confirmed.type_takes(&data).expect_err("broken").to_string()
    };
    let beginnings = [
        (broken("/lines/1/quantity", json!(0)), "lines[1].quantity: must be 1 to 10000"),
        (broken("/lines/1/quantity", json!("1")), "data.lines[1].quantity: invalid type: string"),
        (broken("/lines/0/unitPrice/units", json!(-12)), "lines[0].unitPrice.nanos: must be below one unit"),
        (
            broken("/lines/0/unitPrice", json!({ "currencyCode": "USD", "units": -1, "nanos": 0 })),
            "lines[0].unitPrice:",
        ),
        (broken("/lines/0/unitPrice/units", json!(1u64 << 63)), "data.lines[0].unitPrice.units: "),
        (broken("/total/currencyCode", json!("usd")), "total.currencyCode: must be three capital letters"),
        (broken("/lines", json!([])), "lines: must hold 1 to 100 lines"),
        (broken("/orderId", json!("another-order")), "partitionkey: is not the order id of the data"),
        (broken("/risk", json!("high")), "data.risk: unknown variant"),
    ];
    for (text, beginning) in beginnings {
        assert!(text.starts_with(beginning), "{text:?} does not start with {beginning:?}");
    }
}

#[test]
fn a_newer_version_of_a_known_event_is_refused_and_an_unknown_event_is_not() {
    let sample = samples().into_iter().next().expect("there are samples");
    let check = |event_type: &str| {
        let mut message = sample.message();
        message.attributes.insert("ce-type".to_owned(), event_type.to_owned());
        let envelope: Envelope<Encoded> = message.try_into().expect("the type alone does not spoil an envelope");
        envelope.check_version().map_err(|error| error.code())
    };
    assert_eq!(check("com.onlineboutique.order.confirmed.v1"), Ok(()));
    assert_eq!(check("com.onlineboutique.order.confirmed.v2"), Err("newer_version"));
    assert_eq!(check("com.onlineboutique.order.confirmed.v4294967295"), Err("newer_version"));
    for unknown in ["com.onlineboutique.order.confirmed.v02", "com.onlineboutique.order.confirmed.v+2", "a.b.v9", "x"] {
        assert_eq!(check(unknown), Ok(()), "{unknown}");
    }
}
