//! Whose data a field holds: its class in the schema, what is shown of it, and how a person is looked for.
//!
//! A class is written once, at the field, as the schema's extension [`EXTENSION`]; schemas, catalogue, masks and the proof of an erasure
//! follow from it. `docs/personal-data.md` is the page about the whole house.

mod mask;
mod person;
mod search;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde_json::Value;

use crate::id::CustomerId;
use crate::topology::EVENTS;

pub use mask::{MASKED, attributes, customer, payload, text};
pub use person::{ERASED, Person};
pub use search::Search;

/// The member of a field's schema that says its class.
pub const EXTENSION: &str = "x-personal";

/// What a sealed id begins with. No other id may.
const SEAL: &str = "S.";
/// Random bytes in a sealed id: nobody meets one twice, and nobody guesses one.
pub const SEALED_BYTES: usize = 16;
/// Stands where a customer is to be named and the CRM knows none: whoever it was is not repeated.
const NOBODY: &str = "nobody";

/// How a field that has to do with a person is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Names a person. It travels and is kept only as the sealed id, which means nothing without the CRM.
    Sealed,
    /// A sentence. It should name nobody, and nobody can be sure: it is shown with the masks of [`text`].
    FreeText,
    /// True of a great many people, as a country is. It is kept in the clear, beside a sealed id only.
    Coarse,
}

impl Class {
    const ALL: [Class; 3] = [Class::Sealed, Class::FreeText, Class::Coarse];

    /// The word in the schema.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Sealed => "sealed",
            Class::FreeText => "free-text",
            Class::Coarse => "coarse",
        }
    }

    /// The class of a field, from its schema in the document `root`.
    #[must_use]
    pub fn of(field: &Value, root: &Value) -> Option<Class> {
        let own = field.get(EXTENSION).or_else(|| resolve(field, root).get(EXTENSION))?.as_str()?;
        Self::ALL.into_iter().find(|class| class.as_str() == own)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The classified fields of an event type, by their name in the payload, sorted.
#[must_use]
pub fn fields(schema: &Value) -> Vec<(String, Class)> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let mut found: Vec<_> =
        properties.filter_map(|(name, field)| Some((name.clone(), Class::of(field, schema)?))).collect();
    found.sort_unstable();
    found
}

/// Classified fields of a payload that are not protected as their class says: where they are, never what they hold.
#[must_use]
pub fn unprotected(event_type: &str, data: &str) -> Vec<String> {
    let Some(sealed) = SEALED.get(event_type).filter(|fields| !fields.is_empty()) else { return Vec::new() };
    let Ok(data) = serde_json::from_str::<Value>(data) else { return Vec::new() };
    let is_clear = |value: &Value| value.as_str().is_some_and(|id| !is_sealed(id) && id != NOBODY);
    sealed.iter().filter(|name| data.get(name).is_some_and(is_clear)).cloned().collect()
}

/// Names of the sealed fields of each event type: schemas take a while to make.
static SEALED: LazyLock<BTreeMap<&'static str, Vec<String>>> = LazyLock::new(|| {
    let sealed = |schema: &Value| {
        let of_class = |(name, class)| (class == Class::Sealed).then_some(name);
        fields(schema).into_iter().filter_map(of_class).collect()
    };
    EVENTS.iter().map(|row| (row.event_type, sealed(&(row.schema)()))).collect()
});

/// Whether a text has the form of a sealed id.
#[must_use]
pub fn is_sealed(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.strip_prefix(SEAL).is_some_and(|rest| rest.len() == 2 * SEALED_BYTES && rest.bytes().all(hex))
}

impl CustomerId {
    /// A sealed id from random bytes. It is the CRM's to make: it alone knows whose it is.
    ///
    /// # Panics
    /// Never: what is made here is an id.
    #[must_use]
    pub fn sealed(random: [u8; SEALED_BYTES]) -> Self {
        let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{SEAL}{hex}").parse().expect("hexadecimal digits after the seal are an id")
    }

    /// Whether it is a sealed id, which may be said and kept anywhere.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        is_sealed(self.as_str())
    }

    /// Whether a client may choose it. What begins like a sealed id is the CRM's, and `nobody` is nobody.
    #[must_use]
    pub fn may_be_chosen(&self) -> bool {
        !self.as_str().starts_with(SEAL) && self.as_str() != NOBODY
    }

    /// The customer of an order whose customer the CRM does not know.
    ///
    /// # Panics
    /// Never: the word is an id.
    #[must_use]
    pub fn nobody() -> Self {
        NOBODY.parse().expect("the word is an id")
    }
}

/// A schema, or what it refers to within `root`.
fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let Some(pointer) = schema.get("$ref").and_then(Value::as_str).and_then(|link| link.strip_prefix('#')) else {
        return schema;
    };
    root.pointer(pointer).unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_id_is_told_by_its_form_and_is_nobodys_to_choose() {
        let sealed = CustomerId::sealed([0xab; SEALED_BYTES]);
        assert_eq!(sealed.as_str(), "S.abababababababababababababababab");
        assert!(sealed.is_sealed() && !sealed.may_be_chosen());
        for text in ["john-doe", "S.", "S.ABABABABABABABABABABABABABABABAB", "s.abababababababababababababababab"] {
            assert!(!text.parse::<CustomerId>().unwrap().is_sealed(), "{text}");
        }
        assert!(!"S.x".parse::<CustomerId>().unwrap().may_be_chosen());
        assert!(!CustomerId::nobody().may_be_chosen() && !CustomerId::nobody().is_sealed());
        assert!("john-doe".parse::<CustomerId>().unwrap().may_be_chosen());
    }

    #[test]
    fn a_clear_customer_in_a_payload_is_found_and_not_repeated() {
        let confirmed = "com.onlineboutique.order.confirmed.v1";
        let of = |id: &str| unprotected(confirmed, &format!(r#"{{"orderId":"o","customerId":"{id}"}}"#));
        assert_eq!(of("john-doe"), ["customerId"]);
        assert!(of("S.abababababababababababababababab").is_empty() && of("nobody").is_empty());
    }
}
