//! How a person is looked for in files, which are bytes: as they are, as JSON and URLs escape them, and inside base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::person::{NEAR_BYTES, Person, is_number};

/// Characters of base64 that are the same wherever the text stands; fewer of them are met by chance.
const MIN_BASE64_CHARS: usize = 6;
/// Characters that one base64 digit stands for, times eight: how a text can be shifted against the digits.
const BASE64_SHIFTS: usize = 3;

/// A search through bytes.
#[derive(Debug, Clone)]
pub struct Search {
    id: Vec<Form>,
    /// Whether the id counts only in quotes, which `id` has then.
    is_vague: bool,
    names: Vec<(Form, Form)>,
}

/// A text as it may be written in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Form {
    bytes: Vec<u8>,
    /// Whether it has to stand as a word. Inside base64 it cannot.
    is_word: bool,
}

impl Search {
    pub(super) fn of(person: &Person) -> Self {
        let is_vague = person.has_vague_id();
        let id = if is_vague { quoted(&person.id) } else { forms(&person.id) };
        let pairs = person.name.iter().flat_map(|(name, surname)| forms(name).into_iter().zip(forms(surname)));
        Self { id, is_vague, names: pairs.collect() }
    }

    /// The longest stretch of bytes in which a finding can lie: pieces of a file overlap by it.
    #[must_use]
    pub fn reach(&self) -> usize {
        let longest = self.id.iter().chain(self.names.iter().flat_map(|(name, surname)| [name, surname]));
        2 * longest.map(|form| form.bytes.len()).max().unwrap_or(0) + NEAR_BYTES + 2
    }

    /// Where the person is named in `bytes`.
    #[must_use]
    pub fn places(&self, bytes: &[u8]) -> Vec<usize> {
        let mut found: Vec<usize> = self.id.iter().flat_map(|form| self.ids(bytes, form)).collect();
        for (name, surname) in &self.names {
            for at in find(bytes, surname) {
                let reach = NEAR_BYTES + name.bytes.len();
                let window = &bytes[at.saturating_sub(reach)..(at + surname.bytes.len() + reach).min(bytes.len())];
                if !find(window, name).is_empty() {
                    found.push(at);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn ids(&self, bytes: &[u8], form: &Form) -> Vec<usize> {
        let mut places = find(bytes, form);
        places.retain(|at| !self.is_vague || !is_number(&bytes[..*at]));
        places
    }
}

/// Every way a text in quotes may be written in a file, also with quotes that JSON within JSON escapes.
fn quoted(text: &str) -> Vec<Form> {
    let mut all = [forms(&format!("\"{text}\"")), forms(&format!("\"{text}\\\""))].concat();
    all.iter_mut().for_each(|form| form.is_word = false);
    all
}

/// Every way a text may be written in a file. The same number for every text, so that those of name and surname pair up.
fn forms(text: &str) -> Vec<Form> {
    let word = |text: String| Form { bytes: text.into_bytes(), is_word: true };
    let json: String = text.chars().map(escaped).collect();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let url: String = text
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let mut forms =
        vec![word(text.to_owned()), word(text.to_lowercase()), word(text.to_uppercase()), word(json), word(url)];
    forms.extend((0..BASE64_SHIFTS).map(|shift| base64(text, shift)));
    forms
}

/// A character as JSON may escape it: the surrogates of UTF-16, in hexadecimal.
fn escaped(c: char) -> String {
    if c.is_ascii() {
        return c.to_string();
    }
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

/// The digits a text has inside base64, `shift` bytes after the beginning of three: without those at its ends, which depend on what
/// stands beside it. Empty when too few are left to mean anything.
fn base64(text: &str, shift: usize) -> Form {
    let bytes: Vec<u8> = std::iter::repeat_n(0, shift).chain(text.bytes()).collect();
    let digits = STANDARD_NO_PAD.encode(&bytes);
    let from = (shift * 8).div_ceil(6);
    let to = bytes.len() * 8 / 6;
    let sure = digits.get(from..to).unwrap_or_default();
    let bytes = if sure.len() < MIN_BASE64_CHARS { Vec::new() } else { sure.as_bytes().to_vec() };
    Form { bytes, is_word: false }
}

/// Where `form` stands in `bytes`.
fn find(bytes: &[u8], form: &Form) -> Vec<usize> {
    if form.bytes.is_empty() {
        return Vec::new();
    }
    let is_part = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(|byte| is_word_byte(*byte));
    let stands = |at: &usize| !form.is_word || (!is_part(at.checked_sub(1)) && !is_part(Some(at + form.bytes.len())));
    memchr::memmem::find_iter(bytes, &form.bytes).filter(stands).collect()
}

/// What an id or a name may go on with.
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn search(id: &str) -> Search {
        Person { id: id.to_owned(), name: None }.search()
    }

    #[test]
    fn in_bytes_a_person_is_found_however_they_are_written() {
        let zoe = Person { id: "HH-2385".to_owned(), name: Some(("Zoë".to_owned(), "Quixwood".to_owned())) };
        let search = zoe.search();
        let hidden = r#"{"id":"HH-2385"}"#;
        for lead in ["", "x", "xy"] {
            let text = STANDARD.encode(format!("{lead}{hidden}"));
            assert!(!search.places(text.as_bytes()).is_empty(), "{text}");
        }
        for text in ["..HH-2385..", "hh-2385", r"Zo\u00eb Quixwood", "Quixwood,Zo%C3%AB", "ZOË QUIXWOOD"] {
            assert!(!search.places(text.as_bytes()).is_empty(), "{text}");
        }
        for text in ["HH-23851", "Quixwood", "Zoë", "SEgtMj"] {
            assert!(search.places(text.as_bytes()).is_empty(), "{text}");
        }
    }

    #[test]
    fn an_id_that_could_be_a_number_counts_in_quotes_only() {
        for id in ["7", "1000", "true"] {
            let search = search(id);
            let bare = format!(
                r#"1{id} {id} \0{id}\0 x={id} {{"n":{id},"dlattempts":"{id}","in":"{{\"dlattempts\": \"{id}\"}}"}}"#
            );
            assert_eq!(search.places(bare.as_bytes()), [0; 0], "{bare}");
            for named in
                [format!(r#"{{"customerId":"{id}"}}"#), format!(r#"{{"in":"\"{id}\""}}"#), format!("%22{id}%22")]
            {
                assert_eq!(search.places(named.as_bytes()).len(), 1, "{named}");
            }
        }
        let event = STANDARD.encode(r#"{"customerId":"1000","n":1000}"#);
        assert_eq!(search("1000").places(event.as_bytes()).len(), 1, "{event}");
    }
}
