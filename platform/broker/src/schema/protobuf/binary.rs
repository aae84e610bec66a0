//! Messages in the Protocol Buffer wire format, looked through without taking anything out: a message of two bytes a
//! field would become a hundred times as large. As in the service, a field that the definition does not have is
//! refused.

use std::cell::Cell;

use prost::encoding::{WireType, decode_key, decode_varint};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::limits::PROTO_MESSAGE_DEPTH;

/// Checks that `data` is a message, and counts its values.
pub(super) fn message(descriptor: &MessageDescriptor, has_required: bool, data: &[u8]) -> Result<u64, String> {
    let mut rest = data;
    let check = Check { has_required, values: Cell::new(0) };
    check.fields(descriptor, &mut rest, None, 0)?;
    Ok(check.values.get())
}

struct Check {
    has_required: bool,
    values: Cell<u64>,
}

impl Check {
    /// The fields of a message until its end, or of a group until the key that ends it.
    fn fields(
        &self,
        descriptor: &MessageDescriptor,
        rest: &mut &[u8],
        group: Option<u32>,
        depth: usize,
    ) -> Result<(), String> {
        if depth > PROTO_MESSAGE_DEPTH {
            return Err(format!("the message is nested more than {PROTO_MESSAGE_DEPTH} deep"));
        }
        let mut missing: Vec<u32> = match self.has_required {
            true => descriptor.fields().filter(|f| f.is_required()).map(|f| f.number()).collect(),
            false => Vec::new(),
        };
        let mut is_open = group.is_some();
        while !rest.is_empty() {
            let (number, wire) = decode_key(rest).map_err(|error| error.to_string())?;
            if wire == WireType::EndGroup {
                is_open = group != Some(number);
                break;
            }
            let field = descriptor
                .get_field(number)
                .ok_or_else(|| format!("{} has no field of number {number}", descriptor.full_name()))?;
            self.field(&field, wire, rest, depth).map_err(|why| format!("{}: {why}", field.name()))?;
            missing.retain(|required| *required != number);
        }
        match missing.first() {
            _ if is_open => Err("a group is not closed".to_owned()),
            Some(number) => Err(format!("required field {number} of {} is missing", descriptor.full_name())),
            None => Ok(()),
        }
    }

    fn field(&self, field: &FieldDescriptor, wire: WireType, rest: &mut &[u8], depth: usize) -> Result<(), String> {
        let kind = field.kind();
        self.count();
        match (&kind, wire) {
            (Kind::Message(of), WireType::StartGroup) if field.is_group() => {
                self.fields(of, rest, Some(field.number()), depth + 1)
            }
            (Kind::Message(of), WireType::LengthDelimited) if !field.is_group() => {
                self.fields(of, &mut bytes(rest)?, None, depth + 1)
            }
            (Kind::String, WireType::LengthDelimited) => match std::str::from_utf8(bytes(rest)?) {
                Ok(_) => Ok(()),
                Err(_) => Err("a string is not UTF-8".to_owned()),
            },
            (Kind::Bytes, WireType::LengthDelimited) => bytes(rest).map(drop),
            (Kind::Message(_) | Kind::String | Kind::Bytes, _) => Err("it has another type on the wire".to_owned()),
            (_, WireType::LengthDelimited) if field.is_list() => {
                let mut packed = bytes(rest)?;
                while !packed.is_empty() {
                    self.count();
                    number(kind.wire_type(), &mut packed)?;
                }
                Ok(())
            }
            (_, wire) if wire == kind.wire_type() => number(wire, rest),
            _ => Err("it has another type on the wire".to_owned()),
        }
    }

    fn count(&self) {
        self.values.set(self.values.get() + 1);
    }
}

fn number(wire: WireType, rest: &mut &[u8]) -> Result<(), String> {
    match wire {
        WireType::Varint => decode_varint(rest).map(drop).map_err(|error| error.to_string()),
        WireType::ThirtyTwoBit => take(rest, 4).map(drop),
        _ => take(rest, 8).map(drop),
    }
}

fn bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], String> {
    let len = decode_varint(rest).map_err(|error| error.to_string())?;
    take(rest, usize::try_from(len).unwrap_or(usize::MAX))
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], String> {
    let (taken, behind) = rest.split_at_checked(len).ok_or("the message ends too early")?;
    *rest = behind;
    Ok(taken)
}
