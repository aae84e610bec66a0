//! Avro messages as rows.

use serde_json::{Value, json};

use super::super::Encoding;
use super::Avro;
use crate::warehouse::Mode;

fn of(kind: &Value) -> Avro {
    let schema = json!({"type": "record", "name": "M", "fields": [{"name": "f", "type": kind}]});
    Avro::parse(&schema.to_string()).unwrap_or_else(|why| panic!("{schema}: {why}"))
}

fn from_json(kind: &Value, value: &Value) -> Result<Value, String> {
    let avro = of(kind);
    avro.fields()?;
    avro.row(Encoding::Json, json!({"f": value}).to_string().as_bytes()).map(|row| row["f"].clone())
}

fn from_binary(kind: &Value, data: &[u8]) -> Result<Value, String> {
    let avro = of(kind);
    avro.fields()?;
    avro.row(Encoding::Binary, data).map(|row| row["f"].clone())
}

fn logical(kind: &str, logical: &str) -> Value {
    json!({"type": kind, "logicalType": logical})
}

#[test]
fn both_encodings_give_the_same_row() {
    let decimal = json!({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2});
    let state = json!({"type": "enum", "name": "E", "symbols": ["NEW", "PAID"]});
    let fixed = json!({"type": "fixed", "name": "F", "size": 2});
    let line = json!({"type": "record", "name": "L", "fields": [{"name": "n", "type": "int"}]});
    let lines = json!({"type": "array", "items": line});
    let map = json!({"type": "map", "values": ["null", "long"]});
    let optional = json!(["string", "null"]);
    let cases: [(Value, Value, &[u8], Value); 21] = [
        (json!("boolean"), json!(true), b"\x01", json!(true)),
        (json!("long"), json!(-7), b"\x0d", json!(-7)),
        (json!("float"), json!(0.1), &0.1_f32.to_le_bytes(), json!(f64::from(0.1_f32))),
        (json!("double"), json!(3), &3_f64.to_le_bytes(), json!(3.0)),
        (json!("bytes"), json!("\u{0}\u{ff}"), b"\x04\x00\xff", json!("AP8=")),
        (fixed, json!("\u{0}\u{ff}"), b"\x00\xff", json!("AP8=")),
        (json!("string"), json!("ä"), "\u{4}ä".as_bytes(), json!("ä")),
        (state, json!("PAID"), b"\x02", json!(1)),
        (optional.clone(), json!({"string": "x"}), b"\x00\x02x", json!("x")),
        (optional, json!(null), b"\x02", json!(null)),
        (line, json!({"n": 1}), b"\x02", json!({"n": 1})),
        (lines.clone(), json!([{"n": 1}, {"n": 2}]), b"\x04\x02\x04\x00", json!([{"n": 1}, {"n": 2}])),
        (lines, json!([{"n": 1}, {"n": 2}]), b"\x02\x02\x01\x02\x04\x00", json!([{"n": 1}, {"n": 2}])),
        (map, json!({"k": {"long": 1}}), b"\x02\x02k\x02\x02\x00", json!([{"key": "k", "value": 1}])),
        (logical("int", "date"), json!(2), b"\x04", json!(2)),
        (logical("long", "timestamp-millis"), json!(2), b"\x04", json!(2_000)),
        (logical("long", "timestamp-micros"), json!(-2), b"\x03", json!(-2)),
        (logical("int", "time-millis"), json!(61_001), b"\x92\xb9\x07", json!("00:01:01.001000")),
        (logical("long", "time-micros"), json!(1), b"\x02", json!("00:00:00.000001")),
        (decimal.clone(), json!("\u{1}\u{80}"), b"\x04\x01\x80", json!("3.84")),
        (decimal, json!("\u{ff}"), b"\x02\xff", json!("-0.01")),
    ];
    for (kind, value, binary, row) in cases {
        assert_eq!(from_json(&kind, &value), Ok(row.clone()), "{kind} {value}");
        assert_eq!(from_binary(&kind, binary), Ok(row), "{kind} {binary:?}");
    }
}

#[test]
fn what_fits_no_column_is_refused_with_its_field_before_any_message() {
    let deep = (0..16).fold(
        json!("int"),
        |inner, n| json!({"type": "record", "name": format!("R{n}"), "fields": [{"name": "f", "type": inner}]}),
    );
    for kind in [
        json!(["int", "string"]),
        json!(["int"]),
        json!(["null", "int", "string"]),
        json!(["null", {"type": "array", "items": "int"}]),
        json!({"type": "array", "items": ["null", "int"]}),
        json!({"type": "array", "items": {"type": "array", "items": "int"}}),
        json!({"type": "record", "name": "Empty", "fields": []}),
        json!(["null", "M"]),
        json!({"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}),
        json!({"type": "bytes", "logicalType": "decimal", "precision": 50, "scale": 39}),
        deep,
    ] {
        let why = of(&kind).fields().unwrap_err();
        assert!(why.starts_with("field f: "), "{kind}: {why}");
    }
}

#[test]
fn fields_say_which_columns_take_them() {
    let columns = |kind: Value| {
        let field = of(&kind).fields().unwrap().remove(0);
        let types: Vec<_> = field.types.iter().map(crate::warehouse::Type::name).collect();
        (types.join(" "), field.mode, field.fields.len())
    };
    assert_eq!(columns(json!("int")), ("INTEGER NUMERIC BIGNUMERIC".to_owned(), Mode::Required, 0));
    assert_eq!(columns(json!(["null", "bytes"])), ("BYTES".to_owned(), Mode::Nullable, 0));
    assert_eq!(columns(json!("null")), (String::new(), Mode::Nullable, 0));
    assert_eq!(columns(json!({"type": "map", "values": "int"})), ("RECORD".to_owned(), Mode::Repeated, 2));
    assert_eq!(columns(logical("long", "timestamp-micros")), ("TIMESTAMP".to_owned(), Mode::Required, 0));
    assert_eq!(columns(logical("long", "local-timestamp-micros")).0, "INTEGER NUMERIC BIGNUMERIC");
    assert_eq!(columns(logical("string", "uuid")).1, Mode::Required);
}

#[test]
fn values_beyond_what_a_column_holds_are_no_row() {
    assert!(from_binary(&json!("double"), &f64::NAN.to_le_bytes()).is_err());
    assert!(from_json(&logical("long", "time-micros"), &json!(86_400_000_000_i64)).is_err());
    assert!(from_json(&logical("int", "time-millis"), &json!(-1)).is_err());
    assert!(from_json(&logical("long", "timestamp-millis"), &json!(i64::MAX)).is_err());
    let decimal = json!({"type": "bytes", "logicalType": "decimal", "precision": 90, "scale": 0});
    let least = format!("\u{80}{}", "\0".repeat(31));
    let wanted = "-57896044618658097711785492504343953926634992332820282019728792003956564819968";
    assert_eq!(from_json(&decimal, &json!(least)), Ok(json!(wanted)));
    assert_eq!(from_json(&decimal, &json!("\u{ff}".repeat(100))), Ok(json!("-1")));
    assert_eq!(from_json(&decimal, &json!("")), Ok(json!("0")));
    assert!(from_json(&decimal, &json!(format!("\u{1}{}", "\0".repeat(32)))).is_err());
}

#[test]
fn many_values_without_bytes_are_no_row() {
    let nulls =
        json!({"type": "array", "items": {"type": "record", "name": "N", "fields": [{"name": "n", "type": "null"}]}});
    // A block of 100,000 records of one null.
    let why = from_binary(&nulls, b"\xc0\x9a\x0c\x00").unwrap_err();
    assert!(why.contains("too many values"), "{why}");
    assert_eq!(from_binary(&nulls, b"\x02\x00"), Ok(json!([{"n": null}])));
}
