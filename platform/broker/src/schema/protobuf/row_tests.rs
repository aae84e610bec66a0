//! Protocol Buffer messages as rows.

use serde_json::{Value, json};

use super::super::Encoding;
use super::Protobuf;
use crate::limits::WAREHOUSE_VALUES;
use crate::warehouse::{Mode, Type};

const ORDER: &str = r#"syntax = "proto3";
message Order {
    enum State { NEW = 0; PAID = 5; }
    message Line { string sku = 1; uint64 units = 2; }
    int64 id = 1;
    State state = 2;
    repeated Line lines = 3;
    map<int32, string> labels = 4;
    bytes card = 5;
    optional double total = 6;
    float share = 7;
    repeated bool flags = 8;
}"#;

fn row(encoding: Encoding, data: &[u8]) -> Result<Value, String> {
    Protobuf::parse(ORDER).unwrap().row(encoding, data).map(Value::Object)
}

#[test]
fn both_encodings_give_the_same_row() {
    let text = r#"{"id": "7", "state": "PAID", "lines": [{"sku": "a", "units": "18446744073709551615"}, {}],
        "labels": {"2": "b", "1": "a"}, "card": "AP8=", "total": 0, "share": 0.5, "flags": [true, false]}"#;
    let binary = b"\x08\x07\x10\x05\x1a\x0e\x0a\x01a\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a\x00\
        \x22\x05\x08\x02\x12\x01b\x22\x05\x08\x01\x12\x01a\x2a\x02\x00\xff\x31\0\0\0\0\0\0\0\0\x3d\0\0\0\x3f\x42\x02\x01\x00";
    let wanted = json!({
        "id": 7, "state": 5, "lines": [{"sku": "a", "units": u64::MAX}, {}],
        "labels": [{"key": 1, "value": "a"}, {"key": 2, "value": "b"}],
        "card": "AP8=", "total": 0.0, "share": 0.5, "flags": [true, false],
    });
    assert_eq!(row(Encoding::Json, text.as_bytes()), Ok(wanted.clone()));
    assert_eq!(row(Encoding::Binary, binary), Ok(wanted));
    assert_eq!(row(Encoding::Json, br#"{"id": 0}"#), Ok(json!({})), "a default without presence is not on the wire");
}

#[test]
fn fields_say_which_columns_take_them() {
    let fields = Protobuf::parse(ORDER).unwrap().fields().unwrap();
    let of = |name: &str| fields.iter().find(|field| field.name == name).unwrap();
    assert!(of("id").types.contains(&Type::Timestamp));
    assert_eq!((of("state").types, of("state").mode), (&[Type::Integer][..], Mode::Required));
    assert_eq!(of("lines").fields[1].types, [Type::Numeric, Type::BigNumeric]);
    assert_eq!((of("labels").mode, of("labels").fields.len()), (Mode::Repeated, 2));
}

#[test]
fn what_fits_no_column_is_refused_with_its_field_before_any_message() {
    for body in ["oneof f { int32 a = 1; int32 b = 2; }", "M f = 1;", "message E {} E f = 1;"] {
        let parsed = Protobuf::parse(&format!("syntax = \"proto3\"; message M {{ {body} }}")).unwrap();
        let why = parsed.fields().unwrap_err();
        assert!(why.starts_with("field "), "{body}: {why}");
    }
}

#[test]
fn infinity_and_a_message_of_too_many_values_are_no_rows() {
    assert!(row(Encoding::Json, br#"{"share": "Infinity"}"#).is_err());
    let many = usize::try_from(WAREHOUSE_VALUES).unwrap() + 1;
    let why = row(Encoding::Binary, &b"\x1a\x00".repeat(many)).unwrap_err();
    assert!(why.contains("more than"), "{why}");
}
