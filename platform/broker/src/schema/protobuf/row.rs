//! Protocol Buffers as rows: what columns a message's fields fit, and messages in the forms that those columns take.
//!
//! As where BigQuery reads Protocol Buffers itself, a field that is not on the wire is NULL: a field without presence is so when it
//! has its default.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value as Proto};
use serde_json::{Map, Value, json};

use crate::schema::fields as columns;
use crate::schema::fields::Room;
use crate::warehouse::{Field, Mode, Type};

const INT32: &[Type] = &[Type::Integer, Type::Numeric, Type::BigNumeric, Type::Date];
const INT64: &[Type] = &[Type::Integer, Type::Numeric, Type::BigNumeric, Type::Date, Type::DateTime, Type::Timestamp];

/// The fields of a message.
///
/// # Errors
/// What has no column.
pub(super) fn fields(message: &MessageDescriptor) -> Result<Vec<Field>, String> {
    record(message, &mut Room::new())
}

fn record(message: &MessageDescriptor, room: &mut Room) -> Result<Vec<Field>, String> {
    room.record(message.full_name(), |room| {
        let field = |f: FieldDescriptor| field(&f, room).map_err(|why| format!("field {}: {why}", f.name()));
        message.fields().map(field).collect()
    })
}

fn field(field: &FieldDescriptor, room: &mut Room) -> Result<Field, String> {
    room.take()?;
    if field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic()) {
        return Err("a oneof fits no column".to_owned());
    }
    let kind = field.kind();
    let fields = match &kind {
        Kind::Message(of) => record(of, room)?,
        _ => Vec::new(),
    };
    let mode = if field.is_list() || field.is_map() { Mode::Repeated } else { Mode::Required };
    Ok(Field { name: field.name().to_owned(), types: types(&kind), mode, fields })
}

fn types(kind: &Kind) -> &'static [Type] {
    match kind {
        Kind::Double | Kind::Float => columns::FLOAT,
        Kind::Int32 | Kind::Uint32 | Kind::Fixed32 | Kind::Sfixed32 => INT32,
        Kind::Sint32 => columns::INTEGER,
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => INT64,
        Kind::Uint64 | Kind::Fixed64 => columns::NUMERIC,
        Kind::Bool => columns::BOOLEAN,
        Kind::String => columns::STRING,
        Kind::Bytes => columns::BYTES,
        Kind::Enum(_) => columns::ENUM,
        Kind::Message(_) => columns::RECORD,
    }
}

/// A message's fields. Those that are not there are left out.
pub(super) fn message(message: &DynamicMessage) -> Result<Map<String, Value>, String> {
    let one = |(field, proto): (FieldDescriptor, &Proto)| {
        let value = value(proto).map_err(|why| format!("{}: {why}", field.name()))?;
        Ok((field.name().to_owned(), value))
    };
    message.fields().map(one).collect()
}

fn value(proto: &Proto) -> Result<Value, String> {
    Ok(match proto {
        Proto::Bool(truth) => Value::from(*truth),
        Proto::I32(number) | Proto::EnumNumber(number) => Value::from(*number),
        Proto::I64(number) => Value::from(*number),
        Proto::U32(number) => Value::from(*number),
        Proto::U64(number) => Value::from(*number),
        Proto::F32(float) => columns::float(f64::from(*float))?,
        Proto::F64(float) => columns::float(*float)?,
        Proto::String(text) => Value::from(text.as_str()),
        Proto::Bytes(bytes) => Value::from(STANDARD.encode(bytes)),
        Proto::Message(inner) => Value::Object(message(inner)?),
        Proto::List(items) => items.iter().map(value).collect::<Result<_, _>>()?,
        Proto::Map(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entry = |(key, proto): (&MapKey, &Proto)| Ok(json!({"key": key_of(key), "value": value(proto)?}));
            entries.into_iter().map(entry).collect::<Result<_, String>>()?
        }
    })
}

fn key_of(key: &MapKey) -> Value {
    match key {
        MapKey::Bool(truth) => Value::from(*truth),
        MapKey::I32(number) => Value::from(*number),
        MapKey::I64(number) => Value::from(*number),
        MapKey::U32(number) => Value::from(*number),
        MapKey::U64(number) => Value::from(*number),
        MapKey::String(text) => Value::from(text.as_str()),
    }
}
