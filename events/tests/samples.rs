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

/// The rules that matter most, written down a second time: a rule that left the schema leaves the test above with it.
#[test]
fn type_and_schema_bound_ids_quantities_lines_and_money() {
    let mut tried = BTreeSet::new();
    for sample in samples() {
        let validator = validator(&schema(&sample));
        let mut places = Vec::new();
        collect_places(&sample.data, String::new(), &mut places);
        for (at, member) in places {
            let wrong = match member.as_str() {
                "quantity" => vec![json!(0), json!(10_001), json!(-1)],
                "lines" => vec![json!([]), json!(vec![sample.data["lines"][0].clone(); 101])],
                "currencyCode" => vec![json!("usd"), json!("USDX")],
                "nanos" => vec![json!(1_000_000_000), json!(-1_000_000_000)],
                "wanted" | "available" | "threshold" => vec![json!(-1)],
                name if name.ends_with("Id") => vec![json!(""), json!("a b"), json!("x".repeat(65))],
                _ => continue,
            };
            for value in wrong {
                let mut data = sample.data.clone();
                *data.pointer_mut(&at).expect("the place is in the sample") = value;
                assert!(!validator.is_valid(&data), "{}: the schema takes a wrong {at}", sample.file);
                assert!(sample.type_takes(&data).is_err(), "{}: the type takes a wrong {at}", sample.file);
            }
            tried.insert(member);
        }
    }
    assert_eq!(tried.len(), 16, "{tried:?}");
}

fn collect_places(value: &Value, at: String, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            into.push((format!("{at}/{name}"), name.clone()));
            collect_places(member, format!("{at}/{name}"), into);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| collect_places(item, format!("{at}/{index}"), into));
        }
        _ => {}
    }
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

/// The decoder by itself would take the values of the members in their order.
#[test]
fn members_without_their_names_are_refused() {
    for (file, names) in
        [("order.cancelled.v1/1.json", &["orderId", "reason"][..]), ("platform.minute_elapsed.v1/1.json", &["minute"])]
    {
        let sample = samples().into_iter().find(|sample| sample.file == file).expect("the sample is there");
        let nameless: Value = names.iter().map(|name| sample.data[name].clone()).collect();
        assert!(!validator(&schema(&sample)).is_valid(&nameless), "{file}");
        let error = sample.type_takes(&nameless).expect_err("nameless").to_string();
        assert_eq!(error, "data: is not an object", "{file}");
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
fn an_error_repeats_nothing_of_what_a_hostile_payload_holds() {
    let confirmed = samples().into_iter().find(|sample| sample.file == "order.confirmed.v1/1.json");
    let confirmed = confirmed.expect("the first sample of all is there");
    let secrets =
        ["Ada Lovelace", "Ada \"the\" Lovelace", "Ada `the` Lovelace", "555", "Ada` Lovelace", "Ada\" Lovelace"];
    for secret in secrets {
        for pointer in ["/risk", "/lines/1/quantity", "/lines", "/total/units", "/orderId"] {
            let mut data = confirmed.data.clone();
            *data.pointer_mut(pointer).expect("the sample has the member") = json!(secret);
            let text = confirmed.type_takes(&data).map_or_else(|error| error.to_string(), |()| String::new());
            assert!(!["Ada", "Lovelace", "the\"", "555"].iter().any(|part| text.contains(part)), "{pointer}: {text}");
        }
        let mut data = confirmed.data.clone();
        data["lines"][0][secret] = json!(1);
        let text = confirmed.type_takes(&data).map_or_else(|error| error.to_string(), |()| String::new());
        assert!(!text.contains("Ada"), "{text}");
    }
    for number in [json!(-4_930_123), json!(4_930_123.5)] {
        let mut data = confirmed.data.clone();
        data["lines"][1]["quantity"] = number;
        let text = confirmed.type_takes(&data).expect_err("out of bounds").to_string();
        assert!(!text.contains("4930123"), "{text}");
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
