//! Schema resolution (<https://avro.apache.org/docs/1.11.1/specification/#schema-resolution>), asked in advance: can
//! every message of one definition be read with another?

use std::collections::HashSet;

use super::Avro;
use super::types::{Id, MESSAGE, Named, Record, Type, Types};
use crate::limits::{SCHEMA_DEPTH, SCHEMA_STEPS};

/// Whether each of two definitions reads all messages of the other.
pub(in crate::schema) fn compatible(old: &Avro, new: &Avro) -> Result<(), String> {
    reads(&old.types, &new.types).map_err(|why| format!("the new revision cannot read messages of the old: {why}"))?;
    reads(&new.types, &old.types).map_err(|why| format!("the old revision cannot read messages of the new: {why}"))
}

fn reads(writer: &Types, reader: &Types) -> Result<(), String> {
    let mut question = Question {
        writer,
        reader,
        assumed: HashSet::new(),
        trail: Vec::new(),
        refuted: HashSet::new(),
        depth: 0,
        steps_left: SCHEMA_STEPS,
    };
    question.read(MESSAGE, MESSAGE)
}

struct Question<'a> {
    writer: &'a Types,
    reader: &'a Types,
    /// Pairs taken to fit until something speaks against it: how types that contain themselves come to an end.
    assumed: HashSet<(Id, Id)>,
    /// The same in the order they came, so that what rested on a refuted pair is forgotten with it.
    trail: Vec<(Id, Id)>,
    /// Pairs that do not fit whatever else does.
    refuted: HashSet<(Id, Id)>,
    depth: usize,
    steps_left: u64,
}

impl Question<'_> {
    fn read(&mut self, w: Id, r: Id) -> Result<(), String> {
        self.steps_left = self.steps_left.checked_sub(1).ok_or("the definitions are too large to compare")?;
        if self.depth > SCHEMA_DEPTH {
            return Err("the definitions are nested too deep to compare".to_owned());
        }
        if self.refuted.contains(&(w, r)) {
            return Err(self.mismatch(w, r));
        }
        if !self.assumed.insert((w, r)) {
            return Ok(());
        }
        let before = self.trail.len();
        self.trail.push((w, r));
        self.depth += 1;
        let answer = self.fit(w, r);
        self.depth -= 1;
        if answer.is_err() {
            for pair in self.trail.drain(before..) {
                self.assumed.remove(&pair);
            }
            self.refuted.insert((w, r));
        }
        answer
    }

    fn fit(&mut self, w: Id, r: Id) -> Result<(), String> {
        let (writer, reader) = (self.writer, self.reader);
        let fits = match (writer.get(w), reader.get(r)) {
            (Type::Union(union), _) => return union.branches.iter().try_for_each(|branch| self.read(*branch, r)),
            (_, Type::Union(union)) => union.branches.iter().any(|branch| self.read(w, *branch).is_ok()),
            (Type::Null, Type::Null)
            | (Type::Boolean, Type::Boolean)
            | (Type::Int, Type::Int | Type::Long | Type::Float | Type::Double)
            | (Type::Long, Type::Long | Type::Float | Type::Double)
            | (Type::Float, Type::Float | Type::Double)
            | (Type::Double, Type::Double)
            | (Type::Bytes | Type::String, Type::Bytes | Type::String) => true,
            (Type::Array(w), Type::Array(r)) | (Type::Map(w), Type::Map(r)) => return self.read(*w, *r),
            (Type::Fixed { name: w, size }, Type::Fixed { name: r, size: wanted }) => same_name(w, r) && size == wanted,
            (Type::Enum { name: w, symbols, .. }, Type::Enum { name: r, symbols: known, default }) => {
                if let Some(symbol) = symbols.keys().find(|symbol| default.is_none() && !known.contains_key(*symbol)) {
                    return Err(format!("{} has no symbol {symbol}", r.full));
                }
                same_name(w, r)
            }
            (Type::Record(written), Type::Record(read)) if same_name(&written.name, &read.name) => {
                return self.record(written, read);
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.mismatch(w, r)) }
    }

    fn record(&mut self, written: &Record, read: &Record) -> Result<(), String> {
        for field in &read.fields {
            let mut names = std::iter::once(&field.name).chain(&field.aliases);
            match names.find_map(|name| written.fields.iter().find(|w| w.name == *name)) {
                Some(found) => self.read(found.id, field.id).map_err(|why| format!("{}: {why}", field.name))?,
                None if field.default.is_some() => {}
                None => return Err(format!("field {} is missing and has no default", field.name)),
            }
        }
        Ok(())
    }

    fn mismatch(&self, w: Id, r: Id) -> String {
        format!("type {} cannot be read as {}", self.writer.name(w), self.reader.name(r))
    }
}

/// The names without their namespaces are the same, or the reader knows the writer's as an alias.
fn same_name(writer: &Named, reader: &Named) -> bool {
    let short = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    short(&writer.full) == short(&reader.full) || reader.aliases.contains(&writer.full)
}
