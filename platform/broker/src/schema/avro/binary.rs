//! Messages in Avro's binary encoding
//! (<https://avro.apache.org/docs/1.11.1/specification/#binary-encoding>), looked through without taking anything out.

use super::types::{Id, MESSAGE, Type, Types};
use crate::limits::{SCHEMA_DEPTH, SCHEMA_STEPS, SCHEMA_STEPS_PER_BYTE};

/// Checks that `data` is one message and nothing else.
pub(super) fn message(types: &Types, data: &[u8]) -> Result<(), String> {
    let mut reader = Reader::new(types, data);
    reader.value(MESSAGE, 0)?;
    if reader.rest.is_empty() { Ok(()) } else { Err(format!("{} bytes are left over", reader.rest.len())) }
}

pub(super) struct Reader<'a> {
    types: &'a Types,
    rest: &'a [u8],
    /// Values may take no bytes at all, so their number is limited apart from the message's size.
    steps_left: u64,
}

impl<'a> Reader<'a> {
    pub(super) fn new(types: &'a Types, data: &'a [u8]) -> Reader<'a> {
        Reader { types, rest: data, steps_left: SCHEMA_STEPS + SCHEMA_STEPS_PER_BYTE * data.len() as u64 }
    }

    fn value(&mut self, id: Id, depth: usize) -> Result<(), String> {
        self.steps_left = self.steps_left.checked_sub(1).ok_or("the message has too many values")?;
        if depth > SCHEMA_DEPTH {
            return Err(format!("the message is nested more than {SCHEMA_DEPTH} deep"));
        }
        let types = self.types;
        match types.get(id) {
            Type::Null => Ok(()),
            Type::Boolean => match self.take(1)? {
                [0 | 1] => Ok(()),
                _ => Err("a boolean is neither 0 nor 1".to_owned()),
            },
            Type::Int => match i32::try_from(self.long()?) {
                Ok(_) => Ok(()),
                Err(_) => Err("an int is out of range".to_owned()),
            },
            Type::Long => self.long().map(drop),
            Type::Float => self.take(4).map(drop),
            Type::Double => self.take(8).map(drop),
            Type::Fixed { size, .. } => self.take(*size).map(drop),
            Type::Bytes => self.bytes().map(drop),
            Type::String => self.string().map(drop),
            Type::Enum { symbols, .. } => self.index(symbols.len()).map(drop),
            Type::Union(union) => {
                let branch = self.index(union.branches.len())?;
                self.value(union.branches[branch], depth + 1)
            }
            Type::Record(record) => record
                .fields
                .iter()
                .try_for_each(|field| self.value(field.id, depth + 1).map_err(|why| format!("{}: {why}", field.name))),
            Type::Array(of) => self.blocks(|reader| reader.value(*of, depth + 1)),
            Type::Map(of) => self.blocks(|reader| {
                reader.string()?;
                reader.value(*of, depth + 1)
            }),
        }
    }

    /// Blocks of items, each with its count before it, the last with none. A count below zero has the block's size
    /// in bytes behind it, which must be right.
    fn blocks(&mut self, item: impl Fn(&mut Self) -> Result<(), String>) -> Result<(), String> {
        loop {
            let count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            let size = if count < 0 { Some(self.long()?) } else { None };
            let before = self.rest.len();
            for _ in 0..count.unsigned_abs() {
                item(self)?;
            }
            let used = before - self.rest.len();
            if size.is_some_and(|size| usize::try_from(size) != Ok(used)) {
                return Err("a block's size is wrong".to_owned());
            }
        }
    }

    /// How many items come next, of a message that was checked before. None behind the last.
    pub(super) fn block(&mut self) -> Result<Option<u64>, String> {
        let count = self.long()?;
        if count < 0 {
            self.long()?;
        }
        Ok(Some(count.unsigned_abs()).filter(|count| *count > 0))
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.take(N)?.try_into().map_err(|_| "the message ends too early".to_owned())
    }

    pub(super) fn index(&mut self, count: usize) -> Result<usize, String> {
        let index = self.long()?;
        let found = usize::try_from(index).ok().filter(|index| *index < count);
        found.ok_or_else(|| format!("there is no choice {index}, only {count}"))
    }

    pub(super) fn string(&mut self) -> Result<&'a str, String> {
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes).map_err(|_| "a string is not UTF-8".to_owned())
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], String> {
        let len = self.long()?;
        let len = usize::try_from(len).map_err(|_| format!("{len} is no length"))?;
        self.take(len)
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or("the message ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number in zigzag and 7 bits a byte, at most 64 bits.
    pub(super) fn long(&mut self) -> Result<i64, String> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
        }
        Err("a number has more than 64 bits".to_owned())
    }
}
