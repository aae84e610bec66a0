//! What a new revision may change: optional fields come and go, all else stays as it was.

use std::collections::{BTreeMap, HashSet};

use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use super::Protobuf;

/// Whether `new` may be a revision beside `old`.
pub(in crate::schema) fn compatible(old: &Protobuf, new: &Protobuf) -> Result<(), String> {
    let mut seen = HashSet::new();
    let mut open = vec![(old.message.clone(), new.message.clone())];
    while let Some((old, new)) = open.pop() {
        if seen.insert((old.full_name().to_owned(), new.full_name().to_owned())) {
            messages(&old, &new, &mut open)?;
        }
    }
    Ok(())
}

/// Compares the fields of two messages, and leaves those of their fields in `open`.
fn messages(
    old: &MessageDescriptor,
    new: &MessageDescriptor,
    open: &mut Vec<(MessageDescriptor, MessageDescriptor)>,
) -> Result<(), String> {
    for was in old.fields() {
        match new.get_field(was.number()) {
            Some(is) => {
                fields(&was, &is)?;
                if let (Kind::Message(was), Kind::Message(is)) = (was.kind(), is.kind()) {
                    open.push((was, is));
                }
            }
            None if is_optional(&was) => {}
            None => return Err(format!("{} is not optional and cannot be removed", was.full_name())),
        }
    }
    for is in new.fields() {
        if old.get_field(is.number()).is_none() && !is_optional(&is) {
            return Err(format!("{} is not optional and cannot be added", is.full_name()));
        }
        if let Some(was) = old.get_field_by_name(is.name()).filter(|was| was.number() != is.number()) {
            return Err(format!("{} has number {}, not {}", is.full_name(), was.number(), is.number()));
        }
    }
    Ok(())
}

fn fields(was: &FieldDescriptor, is: &FieldDescriptor) -> Result<(), String> {
    if was.name() != is.name() {
        return Err(format!("field {} is called {}, not {}", was.number(), was.name(), is.name()));
    }
    let types = (was.kind(), is.kind());
    match &types {
        (Kind::Message(_), Kind::Message(_)) if was.is_group() == is.is_group() => {}
        (Kind::Enum(was), Kind::Enum(is)) => enums(was, is)?,
        (was_kind, is_kind) if was_kind == is_kind => {}
        (was_kind, is_kind) => {
            return Err(format!("{} of type {is_kind:?} is not compatible with type {was_kind:?}", was.full_name()));
        }
    }
    if was.cardinality() != is.cardinality() || was.is_map() != is.is_map() {
        return Err(format!("{} is {:?}, not {:?}", was.full_name(), was.cardinality(), is.cardinality()));
    }
    Ok(())
}

/// The service takes no new value of an enum either: an old revision would not know it.
fn enums(was: &EnumDescriptor, is: &EnumDescriptor) -> Result<(), String> {
    let values =
        |of: &EnumDescriptor| of.values().map(|v| (v.name().to_owned(), v.number())).collect::<BTreeMap<_, _>>();
    let (old, new) = (values(was), values(is));
    let lacks = |these: &BTreeMap<String, i32>, those: &BTreeMap<String, i32>, of: &EnumDescriptor| {
        let missing = these.iter().find(|(name, number)| those.get(*name) != Some(number));
        missing.map_or(Ok(()), |(name, number)| Err(format!("{name} = {number} is missing in {}", of.full_name())))
    };
    lacks(&old, &new, is)?;
    lacks(&new, &old, was)
}

fn is_optional(field: &FieldDescriptor) -> bool {
    field.cardinality() == Cardinality::Optional
}
