//! Avro as rows: what columns a definition's fields fit, and messages in the forms that those columns take.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::binary::Reader;
use super::meaning;
use super::types::{Id, MESSAGE, Meaning, Record, Type, Types};
use crate::limits::WAREHOUSE_COLUMNS;
use crate::schema::fields as columns;
use crate::schema::fields::Room;
use crate::warehouse::{Field, Mode};

/// The fields of the message.
///
/// # Errors
/// What has no column.
pub(super) fn fields(types: &Types) -> Result<Vec<Field>, String> {
    record(types, MESSAGE, &mut Room::new())
}

fn record(types: &Types, id: Id, room: &mut Room) -> Result<Vec<Field>, String> {
    let Type::Record(record) = types.get(id) else { return Ok(Vec::new()) };
    room.record(&record.name.full, |room| {
        let field = |f: &super::types::Field| {
            field(types, &f.name, f.id, room).map_err(|why| format!("field {}: {why}", f.name))
        };
        record.fields.iter().map(field).collect()
    })
}

fn field(types: &Types, name: &str, id: Id, room: &mut Room) -> Result<Field, String> {
    room.take()?;
    let name = name.to_owned();
    match types.get(id) {
        Type::Union(union) => {
            let [a, b] = union.branches[..] else { return Err(no_union()) };
            let other = match (types.get(a), types.get(b)) {
                (Type::Null, Type::Null) => return Err(no_union()),
                (Type::Null, _) => b,
                (_, Type::Null) => a,
                _ => return Err(no_union()),
            };
            let field = field(types, &name, other, room)?;
            match field.mode {
                Mode::Repeated => Err("a REPEATED column cannot be null, so null or a list fits none".to_owned()),
                _ => Ok(Field { mode: Mode::Nullable, ..field }),
            }
        }
        Type::Array(of) => match field(types, &name, *of, room)? {
            Field { mode: Mode::Required, types, fields, .. } => {
                Ok(Field { name, types, mode: Mode::Repeated, fields })
            }
            _ => Err("the items of a REPEATED column are neither lists nor null".to_owned()),
        },
        Type::Map(of) => {
            room.take()?;
            let key = Field { name: "key".to_owned(), types: KEY, mode: Mode::Required, fields: Vec::new() };
            let entry = |room: &mut Room| Ok(vec![key, field(types, "value", *of, room)?]);
            let fields = room.record("a map", entry)?;
            Ok(Field { name, types: columns::RECORD, mode: Mode::Repeated, fields })
        }
        Type::Record(_) => {
            let fields = record(types, id, room)?;
            Ok(Field { name, types: columns::RECORD, mode: Mode::Required, fields })
        }
        Type::Null => Ok(Field { name, types: &[], mode: Mode::Nullable, fields: Vec::new() }),
        _ => Ok(Field { name, types: scalar(types, id)?, mode: Mode::Required, fields: Vec::new() }),
    }
}

/// Of a map's keys.
const KEY: &[crate::warehouse::Type] = &[crate::warehouse::Type::String];

fn no_union() -> String {
    "of unions only those of null and one other type fit a column".to_owned()
}

fn scalar(types: &Types, id: Id) -> Result<&'static [crate::warehouse::Type], String> {
    Ok(match (types.meaning(id), types.get(id)) {
        (Some(Meaning::Date), _) => columns::DATE,
        (Some(Meaning::TimeMillis | Meaning::TimeMicros), _) => columns::TIME,
        (Some(Meaning::TimestampMillis | Meaning::TimestampMicros), _) => columns::TIMESTAMP,
        (Some(Meaning::Decimal { scale }), _) if scale > meaning::SCALE => {
            return Err(format!("a decimal has at most {} digits after the point", meaning::SCALE));
        }
        (Some(Meaning::Decimal { .. }), _) => columns::NUMERIC,
        (Some(Meaning::Duration), _) => {
            return Err("a duration needs an INTERVAL column, which is not implemented by this broker".to_owned());
        }
        (None, Type::Boolean) => columns::BOOLEAN,
        (None, Type::Int | Type::Long) => columns::INTEGER,
        (None, Type::Float | Type::Double) => columns::FLOAT,
        (None, Type::String) => columns::STRING,
        (None, Type::Enum { .. }) => columns::ENUM,
        (None, _) => columns::BYTES,
    })
}

/// A message in JSON, checked before.
pub(super) fn from_json(types: &Types, id: Id, value: Value) -> Result<Value, String> {
    match (types.get(id), value) {
        (Type::Record(of), Value::Object(mut members)) => {
            of_record(of, |field| from_json(types, field.id, members.remove(&field.name).unwrap_or_default()))
        }
        (Type::Array(of), Value::Array(items)) => items.into_iter().map(|item| from_json(types, *of, item)).collect(),
        (Type::Map(of), Value::Object(items)) => {
            items.into_iter().map(|(key, item)| Ok(entry(&key, from_json(types, *of, item)?))).collect()
        }
        (Type::Union(union), Value::Object(branch)) => match branch.into_iter().next() {
            Some((name, value)) => {
                from_json(types, *union.by_name.get(&name).ok_or("the union has no such type")?, value)
            }
            None => Ok(Value::Null),
        },
        (Type::Enum { symbols, .. }, Value::String(symbol)) => {
            symbols.get(&symbol).map(|number| json!(number)).ok_or("the enum has no such symbol".to_owned())
        }
        (Type::Int | Type::Long, Value::Number(number)) => {
            meaning::integer(types.meaning(id), number.as_i64().ok_or("an integer is out of range")?)
        }
        (Type::Float, Value::Number(number)) => number_of(number.as_f64().map(|f| f64::from(f as f32))),
        (Type::Double, Value::Number(number)) => number_of(number.as_f64()),
        (Type::Bytes | Type::Fixed { .. }, Value::String(text)) => {
            let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
            bytes_of(types, id, &bytes.map_err(|_| "bytes are characters up to U+00FF")?)
        }
        (_, value) => Ok(value),
    }
}

fn number_of(float: Option<f64>) -> Result<Value, String> {
    columns::float(float.ok_or("a number is out of range")?)
}

/// A message in binary, checked before.
pub(super) fn from_binary(types: &Types, data: &[u8]) -> Result<Value, String> {
    // Each value that is not null has a byte of its own, but there could be any number of nulls.
    let mut binary = Binary { reader: Reader::new(types, data), values_left: WAREHOUSE_COLUMNS + data.len() };
    binary.value(types, MESSAGE)
}

struct Binary<'a> {
    reader: Reader<'a>,
    values_left: usize,
}

impl Binary<'_> {
    fn value(&mut self, types: &Types, id: Id) -> Result<Value, String> {
        self.values_left = self.values_left.checked_sub(1).ok_or("the message has too many values for a row")?;
        let reader = &mut self.reader;
        Ok(match types.get(id) {
            Type::Null => Value::Null,
            Type::Boolean => Value::Bool(reader.take(1)? == [1]),
            Type::Int | Type::Long => meaning::integer(types.meaning(id), reader.long()?)?,
            Type::Float => columns::float(f64::from(f32::from_le_bytes(reader.array()?)))?,
            Type::Double => columns::float(f64::from_le_bytes(reader.array()?))?,
            Type::Fixed { size, .. } => bytes_of(types, id, reader.take(*size)?)?,
            Type::Bytes => bytes_of(types, id, reader.bytes()?)?,
            Type::String => Value::from(reader.string()?),
            Type::Enum { symbols, .. } => json!(reader.index(symbols.len())?),
            Type::Union(union) => {
                let branch = reader.index(union.branches.len())?;
                return self.value(types, union.branches[branch]);
            }
            Type::Record(of) => {
                // What it is made of counts, not the record.
                self.values_left += 1;
                return of_record(of, |field| self.value(types, field.id));
            }
            Type::Array(of) => self.blocks(|binary| binary.value(types, *of))?,
            Type::Map(of) => self.blocks(|binary| {
                let key = binary.reader.string()?;
                Ok(entry(key, binary.value(types, *of)?))
            })?,
        })
    }

    fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> Result<Value, String>) -> Result<Value, String> {
        let mut items = Vec::new();
        while let Some(count) = self.reader.block()? {
            for _ in 0..count {
                items.push(item(self)?);
            }
        }
        Ok(Value::Array(items))
    }
}

fn of_record(
    record: &Record,
    mut value: impl FnMut(&super::types::Field) -> Result<Value, String>,
) -> Result<Value, String> {
    let mut row = Map::new();
    for field in &record.fields {
        let value = value(field).map_err(|why| format!("{}: {why}", field.name))?;
        row.insert(field.name.clone(), value);
    }
    Ok(Value::Object(row))
}

fn entry(key: &str, value: Value) -> Value {
    json!({"key": key, "value": value})
}

fn bytes_of(types: &Types, id: Id, bytes: &[u8]) -> Result<Value, String> {
    match types.meaning(id) {
        Some(Meaning::Decimal { scale }) => meaning::decimal(bytes, scale).map(Value::from),
        _ => Ok(Value::from(STANDARD.encode(bytes))),
    }
}
