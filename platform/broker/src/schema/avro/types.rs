//! The types of a definition in one table, so that a type can refer to itself.

use std::collections::HashMap;

use apache_avro::Schema;
use apache_avro::schema::{Alias, FixedSchema, InnerDecimalSchema, Name, RecordField, RecordSchema, UuidSchema};
use serde_json::Value;

use super::text::DEFAULT;

/// A place in the table.
pub(super) type Id = usize;

/// A type, its logical type left aside: that says what a value means ([`Meaning`]), not how it is written.
#[derive(Debug)]
pub(super) enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(Id),
    Map(Id),
    Union(Union),
    Record(Record),
    Enum { name: Named, symbols: HashMap<String, usize>, default: Option<String> },
    Fixed { name: Named, size: usize },
}

/// A logical type that columns know. Others are as the types they stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Date,
    TimeMillis,
    TimeMicros,
    TimestampMillis,
    TimestampMicros,
    Decimal { scale: usize },
    Duration,
}

impl Meaning {
    fn of(schema: &Schema) -> Option<Meaning> {
        Some(match schema {
            Schema::Date => Meaning::Date,
            Schema::TimeMillis => Meaning::TimeMillis,
            Schema::TimeMicros => Meaning::TimeMicros,
            Schema::TimestampMillis => Meaning::TimestampMillis,
            Schema::TimestampMicros => Meaning::TimestampMicros,
            Schema::Decimal(decimal) => Meaning::Decimal { scale: decimal.scale },
            Schema::Duration(_) => Meaning::Duration,
            _ => return None,
        })
    }
}

/// The name of a record, enum or fixed.
#[derive(Debug)]
pub(super) struct Named {
    /// With its namespace.
    pub(super) full: String,
    /// Other names it reads under, with their namespaces.
    pub(super) aliases: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Union {
    pub(super) branches: Vec<Id>,
    /// Its branches by the names of their types.
    pub(super) by_name: HashMap<String, Id>,
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) name: Named,
    pub(super) fields: Vec<Field>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    pub(super) id: Id,
    pub(super) default: Option<Value>,
}

/// All types of a definition. The first is the message.
#[derive(Debug, Default)]
pub(super) struct Types {
    table: Vec<Type>,
    names: HashMap<String, Id>,
    meanings: HashMap<Id, Meaning>,
}

/// The message's own type.
pub(super) const MESSAGE: Id = 0;

impl Types {
    pub(super) fn of(schema: &Schema) -> Result<Types, String> {
        let mut types = Types::default();
        types.add(schema)?;
        types.name_branches();
        Ok(types)
    }

    /// Once all types are known, so are the names of a union's branches.
    fn name_branches(&mut self) {
        for id in 0..self.table.len() {
            let Type::Union(union) = &self.table[id] else { continue };
            let named = union.branches.iter().map(|branch| (self.name(*branch).to_owned(), *branch)).collect();
            if let Type::Union(union) = &mut self.table[id] {
                union.by_name = named;
            }
        }
    }

    pub(super) fn get(&self, id: Id) -> &Type {
        &self.table[id]
    }

    pub(super) fn meaning(&self, id: Id) -> Option<Meaning> {
        self.meanings.get(&id).copied()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Type> {
        self.table.iter()
    }

    /// What a type is called in a union's JSON and in sentences.
    pub(super) fn name(&self, id: Id) -> &str {
        match self.get(id) {
            Type::Null => "null",
            Type::Boolean => "boolean",
            Type::Int => "int",
            Type::Long => "long",
            Type::Float => "float",
            Type::Double => "double",
            Type::Bytes => "bytes",
            Type::String => "string",
            Type::Array(_) => "array",
            Type::Map(_) => "map",
            Type::Union(_) => "union",
            Type::Record(Record { name, .. }) | Type::Enum { name, .. } | Type::Fixed { name, .. } => &name.full,
        }
    }

    /// Adds a type and all it is made of. As deep as the text's JSON, whose depth is limited.
    fn add(&mut self, schema: &Schema) -> Result<Id, String> {
        let id = self.table.len();
        if let Some(meaning) = Meaning::of(schema) {
            self.meanings.insert(id, meaning);
        }
        let simple = match schema {
            Schema::Ref { name } => {
                let full = name.fullname(None);
                return self.names.get(&full).copied().ok_or_else(|| format!("type {full} is not defined"));
            }
            Schema::Record(record) => return self.record(record),
            Schema::Array(array) => return self.nested(id, |types| types.add(&array.items).map(Type::Array)),
            Schema::Map(map) => return self.nested(id, |types| types.add(&map.types).map(Type::Map)),
            Schema::Union(union) => {
                return self.nested(id, |types| {
                    let branches = union.variants().iter().map(|v| types.add(v)).collect::<Result<_, _>>()?;
                    Ok(Type::Union(Union { branches, by_name: HashMap::new() }))
                });
            }
            Schema::Enum(of) => {
                let name = self.named(id, &of.name, of.aliases.as_ref())?;
                Type::Enum { name, symbols: of.symbols.iter().cloned().zip(0..).collect(), default: of.default.clone() }
            }
            Schema::Fixed(fixed) | Schema::Duration(fixed) | Schema::Uuid(UuidSchema::Fixed(fixed)) => {
                self.fixed(id, fixed)?
            }
            Schema::Decimal(decimal) => match &decimal.inner {
                InnerDecimalSchema::Bytes => Type::Bytes,
                InnerDecimalSchema::Fixed(fixed) => self.fixed(id, fixed)?,
            },
            Schema::Null => Type::Null,
            Schema::Boolean => Type::Boolean,
            Schema::Int | Schema::Date | Schema::TimeMillis => Type::Int,
            Schema::Float => Type::Float,
            Schema::Double => Type::Double,
            Schema::Bytes | Schema::BigDecimal | Schema::Uuid(UuidSchema::Bytes) => Type::Bytes,
            Schema::String | Schema::Uuid(UuidSchema::String) => Type::String,
            Schema::Long
            | Schema::TimeMicros
            | Schema::TimestampMillis
            | Schema::TimestampMicros
            | Schema::TimestampNanos
            | Schema::LocalTimestampMillis
            | Schema::LocalTimestampMicros
            | Schema::LocalTimestampNanos => Type::Long,
        };
        self.table.push(simple);
        Ok(id)
    }

    /// Adds a type that is made of others, at its own place before theirs.
    fn nested(&mut self, id: Id, make: impl FnOnce(&mut Types) -> Result<Type, String>) -> Result<Id, String> {
        self.table.push(Type::Null);
        self.table[id] = make(self)?;
        Ok(id)
    }

    fn record(&mut self, record: &RecordSchema) -> Result<Id, String> {
        let id = self.table.len();
        let name = self.named(id, &record.name, record.aliases.as_ref())?;
        self.nested(id, |types| {
            let fields = record.fields.iter().map(|field| types.field(field)).collect::<Result<_, _>>()?;
            Ok(Type::Record(Record { name, fields }))
        })
    }

    fn field(&mut self, field: &RecordField) -> Result<Field, String> {
        Ok(Field {
            name: field.name.clone(),
            aliases: field.aliases.clone(),
            id: self.add(&field.schema)?,
            default: field.custom_attributes.get(DEFAULT).cloned(),
        })
    }

    fn fixed(&mut self, id: Id, fixed: &FixedSchema) -> Result<Type, String> {
        Ok(Type::Fixed { name: self.named(id, &fixed.name, fixed.aliases.as_ref())?, size: fixed.size })
    }

    /// Takes a name for a type; each can be taken once.
    fn named(&mut self, id: Id, name: &Name, aliases: Option<&Vec<Alias>>) -> Result<Named, String> {
        let full = name.fullname(None);
        let aliases: Vec<String> = aliases.into_iter().flatten().map(|alias| alias.fullname(None)).collect();
        for name in std::iter::once(&full).chain(&aliases) {
            if self.names.insert(name.clone(), id).is_some() {
                return Err(format!("the name {name} is there twice"));
            }
        }
        Ok(Named { full, aliases })
    }
}
