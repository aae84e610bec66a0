//! Protocol Buffer definitions and messages.

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use prost_reflect::{DynamicMessage, Value};

use super::{Protobuf, compatible};

const ORDER: &str = r#"
    syntax = "proto3";
    package shop.v1;
    // An "order" { of lines
    message Order {
        message Line { string product = 1; int32 quantity = 2; }
        enum State { STATE_UNSPECIFIED = 0; PAID = 1; }
        string order_id = 1;
        repeated Line lines = 2;
        State state = 3;
        repeated sint64 prices = 4 [packed = true];
        map<string, double> labels = 5;
        Moment when = 6;
        message Moment { int64 seconds = 1; int32 nanos = 2; }
        oneof paid_by { bytes card = 7; bool cash = 8; }
        Order parent = 9;
    }
"#;

fn parsed(text: &str) -> Protobuf {
    Protobuf::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn proto3(body: &str) -> Protobuf {
    parsed(&format!("syntax = \"proto3\"; message M {{ {body} }}"))
}

#[test]
fn a_message_in_json_passes_and_every_wrong_type_in_it_fails() {
    let order = parsed(ORDER);
    for good in [
        "{}",
        r#"{"orderId": "o", "lines": [{"product": "a", "quantity": 2}], "state": "PAID", "prices": ["1", -2]}"#,
        r#"{"order_id": "o", "labels": {"a": 1.5}, "when": {"seconds": "7", "nanos": 1}, "card": "AAE=", "parent": {}}"#,
    ] {
        assert_eq!(order.validate_json(good.as_bytes()), Ok(()), "{good}");
    }
    for bad in [
        "",
        "{",
        "[]",
        "{} {}",
        r#"{"orderId": 1}"#,
        r#"{"lines": {}}"#,
        r#"{"lines": [{"quantity": "two"}]}"#,
        r#"{"lines": [{"quantity": 3000000000}]}"#,
        r#"{"state": "LOST"}"#,
        r#"{"prices": [1.5]}"#,
        r#"{"when": "yesterday"}"#,
        r#"{"card": "AAE=", "cash": true}"#,
        r#"{"colour": "red"}"#,
    ] {
        assert!(order.validate_json(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn a_message_on_the_wire_passes_and_fails_with_unknown_fields_or_another_type() {
    let order = parsed(ORDER);
    for good in [
        &[][..],
        b"\x0a\x01o",
        b"\x12\x03\x0a\x01a",
        b"\x22\x02\x01\x02",
        b"\x20\x01",
        b"\x2a\x0c\x0a\x01a\x11\0\0\0\0\0\0\0\0",
    ] {
        assert_eq!(order.validate_binary(good), Ok(()), "{good:x?}");
    }
    for bad in [
        &b"\x0a"[..],
        b"\x0a\x02o",
        b"\x08\x01",
        b"\x0a\x01\xff",
        b"\x52\x01o",
        b"\x12\x03\x1a\x01a",
        b"\x22\x01\x80",
        b"\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x0c",
        b"\x0b\x0c",
        b"not protobuf at all",
    ] {
        assert!(order.validate_binary(bad).is_err(), "{bad:x?}");
    }
}

#[test]
fn required_fields_and_groups_of_proto2_are_held_to() {
    let old = parsed(
        "syntax = \"proto2\"; message M { required int32 a = 1; optional group G = 2 { optional string s = 1; } \
         repeated M more = 3; }",
    );
    for good in [&b"\x08\x01"[..], b"\x13\x0a\x01x\x14\x08\x01", b"\x08\x01\x1a\x02\x08\x02"] {
        assert_eq!(old.validate_binary(good), Ok(()), "{good:x?}");
    }
    for bad in
        [&b""[..], b"\x08\x01\x13", b"\x08\x01\x13\x1c", b"\x08\x01\x14", b"\x08\x01\x12\x00", b"\x08\x01\x1a\x00"]
    {
        assert!(old.validate_binary(bad).is_err(), "{bad:x?}");
    }
    assert_eq!(old.validate_json(br#"{"a": 1}"#), Ok(()));
    assert!(old.validate_json(b"{}").is_err());
    assert!(old.validate_json(br#"{"a": 1, "more": [{}]}"#).is_err());
}

#[test]
fn bad_definitions_are_refused() {
    for bad in [
        "",
        "syntax = \"proto3\";",
        "syntax = \"proto4\"; message M {}",
        "message {}",
        "syntax = \"proto3\"; message M { string a = 1; string b = 1; }",
        "syntax = \"proto3\"; message M { Missing a = 1; }",
        "syntax = \"proto3\"; message M {} message N {}",
        "syntax = \"proto3\"; message M {} enum E { A = 0; }",
        "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\"; message M {}",
        "{\"type\": \"record\", \"name\": \"M\", \"fields\": []}",
    ] {
        assert!(Protobuf::parse(bad).is_err(), "{bad}");
    }
    let why = Protobuf::parse("syntax = \"proto3\"; import \"shop/line.proto\"; message M {}").unwrap_err();
    assert!(why.contains("shop/line.proto cannot be imported"), "{why}");
}

/// None of these may end the stack, whose end would be the end of the process.
#[test]
fn definitions_nested_without_end_are_refused() {
    let n = 15_000;
    for piece in [
        "message A{",
        "message A { option x = [ } ; ",
        "message A { string a = 1 [(x) = { } ; ",
        "message A { // }\n",
        "message A { /* } */ ",
        "message A { option x = '}'; ",
        "message A { option x = '\\'; message B { } ' ; ",
        "message A { /* /* */ } */ ",
        "option x = { a ",
        "option x = { a: [ ",
        "option x = { a < ",
        "message A { # } \n",
        "message A { oneof x { group B = 1 { ",
        "message A { } } ",
        "message A { ) } ] ",
    ] {
        assert!(Protobuf::parse(&piece.repeat(n.min(290_000 / piece.len()))).is_err(), "{piece}");
    }
    let escaped = "message A { option x = '\\q'; } }' ; ".repeat(7_000);
    assert!(Protobuf::parse(&escaped).is_err());
}

#[test]
fn messages_nested_without_end_are_refused() {
    let order = parsed(ORDER);
    let mut message = Vec::new();
    for _ in 0..200 {
        let mut outer = vec![0x4a];
        prost::encoding::encode_varint(message.len() as u64, &mut outer);
        outer.extend(message);
        message = outer;
    }
    assert!(order.validate_binary(&message).unwrap_err().contains("nested"));
    let json = format!("{}{{}}{}", "{\"parent\":".repeat(100_000), "}".repeat(100_000));
    assert!(order.validate_json(json.as_bytes()).is_err());
    let group =
        parsed("syntax = \"proto2\"; message M { optional group G = 1 { optional M m = 2; repeated group H = 3 {} } }");
    assert!(group.validate_binary(&vec![0x0b; 1_000_000]).is_err());
}

#[test]
fn a_revision_may_add_and_remove_optional_fields_and_nothing_else() {
    let base = "string a = 1; enum E { X = 0; } E e = 2; message N { int32 n = 1; } N n = 3; repeated int32 r = 4;";
    let old = proto3(base);
    let check = |new: &str| compatible(&old, &proto3(new)).is_ok() && compatible(&proto3(new), &old).is_ok();
    assert!(check(base));
    assert!(check(&format!("{base} optional bool more = 9;")));
    assert!(check(&base.replace("string a = 1;", "")));
    assert!(check(&base.replace("int32 n = 1;", "int32 n = 1; string s = 2;")));
    for (was, is) in [
        ("string a = 1;", "bytes a = 1;"),
        ("string a = 1;", "string b = 1;"),
        ("string a = 1;", "string a = 7;"),
        ("string a = 1;", "repeated string a = 1;"),
        ("X = 0;", "X = 0; Y = 1;"),
        ("X = 0;", "Z = 0;"),
        ("int32 n = 1;", "int64 n = 1;"),
        ("repeated int32 r = 4;", ""),
        ("N n = 3;", "E n = 3;"),
    ] {
        assert!(!check(&base.replace(was, is)), "{was} -> {is}");
    }
    let required = parsed("syntax = \"proto2\"; message M { required int32 a = 1; }");
    let optional = parsed("syntax = \"proto2\"; message M { optional int32 a = 1; }");
    let empty = parsed("syntax = \"proto2\"; message M {}");
    for (old, new) in [(&required, &optional), (&optional, &required), (&required, &empty), (&empty, &required)] {
        assert!(compatible(old, new).is_err());
    }
    assert!(compatible(&optional, &empty).is_ok());
    let cycle = parsed(ORDER);
    assert_eq!(compatible(&cycle, &parsed(ORDER)), Ok(()));
}

fn filled(order: &Protobuf, id: &str, prices: &[i64], flags: (bool, bool)) -> DynamicMessage {
    let mut message = DynamicMessage::new(order.message.clone());
    message.set_field_by_name("order_id", Value::String(id.to_owned()));
    message.set_field_by_name("prices", Value::List(prices.iter().copied().map(Value::I64).collect()));
    if flags.0 {
        message.set_field_by_name("cash", Value::Bool(flags.1));
    }
    message
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_parsed_or_refused_but_never_panics(text in "\\PC{0,80}") {
        let _ = Protobuf::parse(&text);
    }

    #[test]
    fn text_made_of_the_languages_words_never_panics(
        words in vec(prop_oneof![
            Just("syntax"), Just("="), Just("\"proto3\""), Just(";"), Just("message"), Just("M"), Just("{"), Just("}"),
            Just("string"), Just("a"), Just("1"), Just("enum"), Just("oneof"), Just("map"), Just("<"), Just(">"), Just(","),
            Just("["), Just("]"), Just("option"), Just("("), Just(")"), Just("."), Just("import"), Just("reserved"),
            Just("to"), Just("max"), Just("-"), Just("extend"), Just("group"), Just("repeated"), Just("'\\"), Just("/*"),
        ], 0..40),
    ) {
        let _ = Protobuf::parse(&words.join(" "));
    }

    #[test]
    fn any_bytes_pass_only_if_the_library_takes_them_too(bytes in vec(any::<u8>(), 0..40)) {
        let order = parsed(ORDER);
        let _ = order.validate_json(&bytes);
        if order.validate_binary(&bytes).is_ok() {
            prop_assert!(DynamicMessage::decode(order.message.clone(), &bytes[..]).is_ok());
        }
    }

    #[test]
    fn a_value_passes_in_both_encodings_and_fails_under_another_type(
        id in "\\PC{1,10}", prices in vec(any::<i64>(), 1..5), flags in any::<(bool, bool)>(),
    ) {
        let order = parsed(ORDER);
        let message = filled(&order, &id, &prices, flags);
        let (json, bytes) = (serde_json::to_vec(&message).unwrap(), message.encode_to_vec());
        prop_assert_eq!(order.validate_json(&json), Ok(()));
        prop_assert_eq!(order.validate_binary(&bytes), Ok(()));
        let other = parsed(&ORDER.replace("string order_id", "bool order_id"));
        prop_assert!(other.validate_json(&json).is_err());
        prop_assert!(other.validate_binary(&bytes).is_err());
        let fewer = parsed(&ORDER.replace("repeated sint64 prices = 4 [packed = true];", ""));
        prop_assert!(fewer.validate_json(&json).is_err());
        prop_assert!(fewer.validate_binary(&bytes).is_err());
    }
}
