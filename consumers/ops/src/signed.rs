//! Who does something, and why: asked of everything that changes something.

use events::FieldError;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::limits::{MAX_NAME_CHARS, MAX_WHY_CHARS};

/// Who and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Signed {
    /// A person's name, as they give it. 1..=100 characters.
    #[schemars(schema_with = "name")]
    pub(crate) by: String,
    /// In a sentence. 1..=500 characters.
    #[schemars(schema_with = "reason")]
    pub(crate) why: String,
}

/// One line with at least one ASCII letter or digit in it.
fn signed(most: usize) -> Schema {
    json_schema!({ "type": "string", "minLength": 1, "maxLength": most, "pattern": r"^[^\x00-\x1F\x7F-\x9F]*[0-9A-Za-z][^\x00-\x1F\x7F-\x9F]*$" })
}

pub(crate) fn name(_: &mut SchemaGenerator) -> Schema {
    signed(MAX_NAME_CHARS)
}

pub(crate) fn reason(_: &mut SchemaGenerator) -> Schema {
    signed(MAX_WHY_CHARS)
}

impl Signed {
    /// Both on one line, with one space between words and nothing that cannot be seen.
    ///
    /// # Errors
    /// [`FieldError`] when one is missing or too long.
    pub(crate) fn checked(self) -> Result<Self, FieldError> {
        Ok(Self { by: line("by", &self.by, MAX_NAME_CHARS)?, why: line("why", &self.why, MAX_WHY_CHARS)? })
    }
}

/// Whether two names are one person's, however they were typed: case, spaces and what cannot be seen make no other person.
pub(crate) fn is_same_person(one: &str, other: &str) -> bool {
    let key = |name: &str| -> String { plain(name).to_lowercase().split_whitespace().collect() };
    key(one) == key(other)
}

fn plain(text: &str) -> String {
    let seen = text.chars().filter(|c| !is_invisible(*c)).map(|c| if c.is_control() { ' ' } else { c });
    seen.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that take no place, or only say how others are to be drawn. From Unicode's `Default_Ignorable_Code_Point` and
/// `General_Category=Format`.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn line(path: &str, text: &str, most: usize) -> Result<String, FieldError> {
    let text = plain(text);
    if (1..=most).contains(&text.chars().count()) {
        return Ok(text);
    }
    Err(FieldError::new(path, format!("must have 1 to {most} characters")))
}
