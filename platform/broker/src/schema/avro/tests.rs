//! Avro definitions and messages.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Avro, compatible};

fn parsed(schema: &Value) -> Avro {
    Avro::parse(&schema.to_string()).unwrap_or_else(|why| panic!("{schema}: {why}"))
}

/// A record of one field.
fn with_field(of: &Value) -> Value {
    json!({"type": "record", "name": "M", "fields": [{"name": "f", "type": of}]})
}

fn all_types() -> Value {
    json!({"type": "record", "name": "Order", "namespace": "shop.v1", "fields": [
        {"name": "id", "type": "string"},
        {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
            {"name": "product", "type": "string", "doc": "its number"},
            {"name": "quantity", "type": "int", "default": 1}
        ]}}},
        {"name": "first", "type": ["null", "Line"], "default": null},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}},
        {"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 2}},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "when", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "labels", "type": {"type": "map", "values": ["null", "string", "double"]}}
    ]})
}

fn order() -> Value {
    json!({
        "id": "o-1", "lines": [{"product": "a", "quantity": 2}], "first": {"shop.v1.Line": {"product": "b", "quantity": 1}},
        "state": "PAID", "hash": "\u{0}\u{ff}", "price": "\u{1}\u{80}", "when": 1_700_000_000_000_i64,
        "labels": {"a": null, "b": {"string": "x"}, "c": {"double": 1.5}}
    })
}

#[test]
fn a_message_in_avros_json_passes_and_every_wrong_type_in_it_fails() {
    let avro = parsed(&all_types());
    let passes = |value: &Value| avro.validate_json(value.to_string().as_bytes());
    assert_eq!(passes(&order()), Ok(()));
    for (pointer, wrong) in [
        ("/id", json!(1)),
        ("/lines", json!({})),
        ("/lines/0/quantity", json!("2")),
        ("/lines/0/quantity", json!(2.5)),
        ("/lines/0/quantity", json!(3_000_000_000_i64)),
        ("/lines/0", json!({"product": "a"})),
        ("/lines/0", json!({"product": "a", "quantity": 1, "colour": "red"})),
        ("/first", json!({"product": "b", "quantity": 1})),
        ("/first", json!({"Line": {"product": "b", "quantity": 1}})),
        ("/first", json!({"null": null})),
        ("/state", json!("LOST")),
        ("/hash", json!("abc")),
        ("/hash", json!("a\u{100}")),
        ("/price", json!(12)),
        ("/when", json!("now")),
        ("/labels/a", json!("x")),
        ("/labels/b", json!({"int": 1})),
        ("", json!([])),
    ] {
        let mut order = order();
        *order.pointer_mut(pointer).unwrap() = wrong.clone();
        assert!(passes(&order).is_err(), "{pointer}: {wrong}");
    }
    for text in ["", "{", "null", "{\"id\":\"o-1\"}"] {
        assert!(avro.validate_json(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn bad_definitions_are_refused() {
    for bad in [
        json!("string"),
        json!({"type": "enum", "name": "E", "symbols": ["A"]}),
        json!({"type": "record", "name": "M"}),
        json!({"type": "record", "fields": []}),
        with_field(&json!("Missing")),
        with_field(&json!(["null", "null"])),
        with_field(&json!({"type": "record", "name": "M", "fields": []})),
        json!({"type": "record", "name": "M", "fields": [{"name": "f", "type": "int", "default": "x"}]}),
        json!({"type": "record", "name": "M", "fields": [{"name": "f", "type": ["int", "null"], "default": null}]}),
        json!({"type": "record", "name": "M", "fields": [{"name": "f", "type": "int"}, {"name": "f", "type": "int"}]}),
    ] {
        assert!(Avro::parse(&bad.to_string()).is_err(), "{bad}");
    }
    for bad in ["", "{", "[]", "syntax = 'proto3';"] {
        assert!(Avro::parse(bad).is_err(), "{bad}");
    }
    let deep = format!("{}\"int\"{}", "{\"type\":\"array\",\"items\":".repeat(10_000), "}".repeat(10_000));
    assert!(Avro::parse(&deep).is_err());
}

/// Types that contain themselves, in defaults and under names used twice, end no stack.
#[test]
fn definitions_that_go_round_in_circles_are_refused_or_taken_but_never_followed_for_ever() {
    let twice = json!({"type": "record", "name": "M", "fields": [
        {"name": "a", "type": {"type": "record", "name": "A", "fields": []}},
        {"name": "b", "type": {"type": "record", "name": "A", "fields": [{"name": "x", "type": "A", "default": {}}]}},
        {"name": "c", "type": {"type": "record", "name": "B", "fields": [{"name": "y", "type": "A", "default": {}}]}}
    ]});
    assert!(Avro::parse(&twice.to_string()).is_err());
    let alias = json!({"type": "record", "name": "M", "fields": [
        {"name": "a", "type": {"type": "record", "name": "Z", "aliases": ["A"], "fields": []}},
        {"name": "b", "type": {"type": "record", "name": "A", "fields": [{"name": "x", "type": "A", "default": {}}]}}
    ]});
    assert!(Avro::parse(&alias.to_string()).is_err());
    let branches = json!({"type": "record", "name": "M", "fields": [
        {"name": "a", "type": {"type": "record", "name": "R", "fields": [
            {"name": "x", "type": ["R", {"type": "map", "values": "int"}], "default": {}}]}},
        {"name": "b", "type": "R", "default": {}}
    ]});
    let avro = parsed(&branches);
    assert!(avro.validate_json(br#"{"a": {}, "b": {}}"#).is_err());
}

fn list() -> Avro {
    parsed(&json!({"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]}))
}

#[test]
fn messages_nested_without_end_are_refused() {
    let list = list();
    assert_eq!(list.validate_binary(&[2, 2, 0]), Ok(()));
    assert_eq!(list.validate_json(br#"{"next": {"N": {"next": null}}}"#), Ok(()));
    assert!(list.validate_binary(&vec![2; 5_000_000]).unwrap_err().contains("nested"));
    let json = format!("{}null{}", "{\"next\":{\"N\":".repeat(100_000), "}}".repeat(100_000));
    assert!(list.validate_json(json.as_bytes()).is_err());
}

#[test]
fn messages_of_more_values_than_bytes_are_refused() {
    let nulls = parsed(&with_field(&json!({"type": "array", "items": "null"})));
    assert_eq!(nulls.validate_binary(&[6, 0]), Ok(()));
    let huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0];
    assert!(nulls.validate_binary(&huge).unwrap_err().contains("too many values"));
    let mut fields = vec![json!({"name": "r0", "type": {"type": "record", "name": "R0", "fields": []}})];
    for i in 1..60 {
        let below = format!("R{}", i - 1);
        let of = [json!({"name": "a", "type": below}), json!({"name": "b", "type": below})];
        fields
            .push(json!({"name": format!("r{i}"), "type": {"type": "record", "name": format!("R{i}"), "fields": of}}));
    }
    let doubling = parsed(&json!({"type": "record", "name": "M", "fields": fields}));
    assert!(doubling.validate_binary(&[]).unwrap_err().contains("too many values"));
}

#[test]
fn a_revision_fits_when_each_reads_the_other() {
    let base = json!({"name": "id", "type": "string"});
    let record = |fields: Vec<Value>| parsed(&json!({"type": "record", "name": "M", "fields": fields}));
    let check = |old: Vec<Value>, new: Vec<Value>| compatible(&record(old), &record(new)).is_ok();
    let line = json!({"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]});
    let of = |of: Value| vec![json!({"name": "f", "type": of})];
    let with_default = json!({"name": "n", "type": "int", "default": 0});

    assert!(check(vec![base.clone()], vec![base.clone()]));
    assert!(check(vec![base.clone()], vec![with_default.clone(), base.clone()]));
    assert!(check(vec![base.clone(), with_default], vec![base.clone()]));
    assert!(!check(vec![base.clone()], vec![base.clone(), json!({"name": "n", "type": "int"})]));
    assert!(!check(vec![base.clone(), json!({"name": "n", "type": "int"})], vec![base]));
    assert!(check(of(json!("string")), of(json!("bytes"))));
    assert!(!check(of(json!("int")), of(json!("long"))), "a long cannot be read as an int");
    assert!(!check(of(json!("int")), of(json!(["null", "int"]))), "null cannot be read as an int");
    assert!(check(of(json!(["null", "int"])), of(json!(["int", "null"]))));
    let symbols = |symbols: Value| of(json!({"type": "enum", "name": "E", "symbols": symbols}));
    assert!(!check(symbols(json!(["A"])), symbols(json!(["A", "B"]))));
    let open = |symbols: Value| of(json!({"type": "enum", "name": "E", "symbols": symbols, "default": "A"}));
    assert!(check(open(json!(["A"])), open(json!(["A", "B"]))));
    assert!(!check(
        of(json!({"type": "fixed", "name": "F", "size": 2})),
        of(json!({"type": "fixed", "name": "F", "size": 3}))
    ));
    assert!(check(of(line.clone()), of(line.clone())));
    // Where a type is defined does not matter.
    let (first, second) = (json!({"name": "a", "type": line}), json!({"name": "b", "type": "L"}));
    let (moved, to) = (json!({"name": "b", "type": line}), json!({"name": "a", "type": "L"}));
    assert!(check(vec![first, second], vec![moved, to]));
    assert!(!check(
        of(line),
        of(json!({"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "string"]}]}))
    ));
}

/// A type, a value of it in JSON, and the same in binary.
type Sample = (Value, Value, Vec<u8>);

fn zigzag(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    let mut out = Vec::new();
    while rest >= 0x80 {
        out.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    out.push(rest.to_le_bytes()[0]);
    out
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    [zigzag(i64::try_from(bytes.len()).unwrap()), bytes.to_vec()].concat()
}

fn samples() -> impl Strategy<Value = Sample> {
    let leaf = prop_oneof![
        Just((json!("null"), json!(null), vec![])),
        any::<bool>().prop_map(|v| (json!("boolean"), json!(v), vec![u8::from(v)])),
        any::<i32>().prop_map(|v| (json!("int"), json!(v), zigzag(v.into()))),
        any::<i64>().prop_map(|v| (json!("long"), json!(v), zigzag(v))),
        (-1e9..1e9f64).prop_map(|v| (json!("double"), json!(v), v.to_le_bytes().to_vec())),
        "\\PC{0,10}".prop_map(|v| (json!("string"), json!(v), counted(v.as_bytes()))),
        vec(any::<u8>(), 0..10).prop_map(|v| {
            let text: String = v.iter().copied().map(char::from).collect();
            (json!("bytes"), json!(text), counted(&v))
        }),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0..3usize).prop_map(|((of, value, bytes), n)| {
                let count = if n == 0 { vec![] } else { zigzag(i64::try_from(n).unwrap()) };
                let schema = json!({"type": "array", "items": of});
                (schema, json!(vec![value; n]), [count, bytes.repeat(n), vec![0]].concat())
            }),
            (inner.clone(), "\\PC{0,5}").prop_map(|((of, value, bytes), key)| {
                let sized = [counted(key.as_bytes()), bytes].concat();
                let head = [zigzag(-1), zigzag(i64::try_from(sized.len()).unwrap())].concat();
                (json!({"type": "map", "values": of}), json!({key: value}), [head, sized, vec![0]].concat())
            }),
            vec(inner, 0..4).prop_map(|of| {
                // A name is taken once, so it is made of all that is in the record.
                let name = format!("R{:x}", crc32fast::hash(json!(of).to_string().as_bytes()));
                let fields: Vec<Value> =
                    of.iter().enumerate().map(|(i, (of, ..))| json!({"name": format!("f{i}"), "type": of})).collect();
                let value = of.iter().enumerate().map(|(i, (_, value, _))| (format!("f{i}"), value.clone()));
                let bytes = of.iter().flat_map(|(.., bytes)| bytes.clone()).collect();
                (json!({"type": "record", "name": name, "fields": fields}), Value::Object(value.collect()), bytes)
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused_but_never_panics(text in "\\PC{0,80}") {
        let _ = Avro::parse(&text);
    }

    #[test]
    fn any_bytes_pass_only_if_avros_own_decoder_takes_them(bytes in vec(prop_oneof![Just(0u8), Just(2), any::<u8>()], 0..40)) {
        let text = all_types().to_string();
        let avro = Avro::parse(&text).unwrap();
        let _ = avro.validate_json(&bytes);
        if avro.validate_binary(&bytes).is_ok() {
            let schema = apache_avro::Schema::parse_str(&text).unwrap();
            let reader = apache_avro::reader::datum::GenericDatumReader::builder(&schema).build().unwrap();
            let mut rest = &bytes[..];
            prop_assert!(reader.read_value(&mut rest).is_ok());
            prop_assert!(rest.is_empty());
        }
        let _ = list().validate_binary(&bytes);
    }

    #[test]
    fn a_value_passes_in_both_encodings_and_fails_under_another_type((of, value, bytes) in samples()) {
        let Ok(avro) = Avro::parse(&with_field(&of).to_string()) else {
            // Two records that are the same have the same name.
            return Ok(());
        };
        let json = json!({"f": value}).to_string();
        prop_assert_eq!(avro.validate_json(json.as_bytes()), Ok(()));
        prop_assert_eq!(avro.validate_binary(&bytes), Ok(()));
        prop_assert!(avro.validate_binary(&[&bytes[..], &[0]].concat()).is_err());
        if let Some((_, cut)) = bytes.split_last() {
            prop_assert!(avro.validate_binary(&bytes[..cut.len()]).is_err());
        }
        prop_assert_eq!(compatible(&avro, &avro), Ok(()));

        let optional = parsed(&with_field(&json!(["null", "boolean"])));
        prop_assert!(value.is_null() || optional.validate_json(json.as_bytes()).is_err());
        let other = parsed(&with_field(&json!({"type": "fixed", "name": "Other", "size": 999})));
        prop_assert!(other.validate_json(json.as_bytes()).is_err());
        prop_assert!(bytes.len() == 999 || other.validate_binary(&bytes).is_err());
        prop_assert!(compatible(&avro, &other).is_err());
    }
}
