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

/// One line with something in it that can be seen: what [`line`] takes.
fn signed(most: usize) -> Schema {
    let unseen = UNSEEN.map(|(first, last)| format!("{first}-{last}")).concat();
    let pattern = format!(r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F{unseen}][^\x00-\x1F\x7F-\x9F]*$");
    json_schema!({ "type": "string", "minLength": 1, "maxLength": most, "pattern": pattern })
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

/// Characters that take no place, or only say how others are to be drawn, from and to. From Unicode's `Default_Ignorable_Code_Point` and
/// `General_Category=Format`.
const UNSEEN: [(char, char); 20] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

fn is_invisible(c: char) -> bool {
    UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

fn line(path: &str, text: &str, most: usize) -> Result<String, FieldError> {
    let is_line = text.chars().count() <= most && !text.chars().any(char::is_control);
    let text = plain(text);
    if is_line && !text.is_empty() {
        return Ok(text);
    }
    Err(FieldError::new(path, format!("must be a line of 1 to {most} characters")))
}
