//! How a person is looked for in what the house keeps, and taken out of free text.
//!
//! Their id counts wherever it stands as a word; their name counts where name and surname stand close to each other, because a first name
//! alone is many people's. Case does not matter in text. In files, which are bytes, the same is looked for as it is, as JSON and URLs
//! escape it, and inside base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Stands in free text where a person was named.
pub const ERASED: &str = "[erased]";

/// Bytes between a name and its surname, at most, for the two to be one person's.
const NEAR_BYTES: usize = 64;
/// An id of fewer characters is part of too many words and numbers: in files it counts only in quotes.
const SHORT_CHARS: usize = 4;
/// Characters of base64 that are the same wherever the text stands; fewer of them are met by chance.
const MIN_BASE64_CHARS: usize = 6;
/// Characters that one base64 digit stands for, times eight: how a text can be shifted against the digits.
const BASE64_SHIFTS: usize = 3;

/// Who is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their id, as they know it.
    pub id: String,
    /// Name and surname; `None` when only the id is known.
    pub name: Option<(String, String)>,
}

impl Person {
    /// Whether a text names them.
    #[must_use]
    pub fn is_named_in(&self, text: &str) -> bool {
        !self.places(text).is_empty()
    }

    /// The text with [`ERASED`] in place of each word that names them; `None` when it names them nowhere.
    #[must_use]
    pub fn taken_out_of(&self, text: &str) -> Option<String> {
        let places = self.places(text);
        let (mut out, mut from) = (String::with_capacity(text.len()), 0);
        for (start, end) in &places {
            if *start >= from {
                out.push_str(&text[from..*start]);
                out.push_str(ERASED);
                from = *end;
            }
        }
        out.push_str(&text[from..]);
        (!places.is_empty()).then_some(out)
    }

    /// Where a text names them, in bytes, by place.
    fn places(&self, text: &str) -> Vec<(usize, usize)> {
        let mut places = words(text, &self.id);
        if let Some((name, surname)) = &self.name {
            let (names, surnames) = (words(text, name), words(text, surname));
            let near = |one: &(usize, usize), other: &(usize, usize)| {
                one.0.max(other.0).saturating_sub(one.1.min(other.1)) <= NEAR_BYTES
            };
            places.extend(names.iter().filter(|one| surnames.iter().any(|other| near(one, other))));
            places.extend(surnames.iter().filter(|one| names.iter().any(|other| near(one, other))));
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    /// How they are looked for in bytes.
    #[must_use]
    pub fn search(&self) -> Search {
        let pairs = self.name.iter().flat_map(|(name, surname)| forms(name).into_iter().zip(forms(surname)));
        Search { id: forms(&self.id), is_short: self.id.chars().count() < SHORT_CHARS, names: pairs.collect() }
    }
}

/// A search through bytes.
#[derive(Debug, Clone)]
pub struct Search {
    id: Vec<Form>,
    is_short: bool,
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
        if self.is_short {
            let quoted = |at: usize| at > 0 && bytes[at - 1] == b'"' && bytes.get(at + form.bytes.len()) == Some(&b'"');
            places.retain(|at| form.is_word && quoted(*at));
        }
        places
    }
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

/// Where `word` stands as a word in `text`, whatever its case.
fn words(text: &str, word: &str) -> Vec<(usize, usize)> {
    let word: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
    if word.is_empty() {
        return Vec::new();
    }
    // Each character of the lower case with the place of the character it comes from.
    let lower: Vec<(usize, usize, char)> = text
        .char_indices()
        .flat_map(|(at, c)| c.to_lowercase().map(move |lower| (at, at + c.len_utf8(), lower)))
        .collect();
    let is_part = |index: Option<usize>| {
        index.and_then(|index| lower.get(index)).is_some_and(|(_, _, c)| c.is_alphanumeric() || matches!(c, '-' | '_'))
    };
    let fits = |start: usize| lower[start..].iter().map(|(_, _, c)| c).take(word.len()).eq(word.iter());
    (0..(lower.len() + 1).saturating_sub(word.len()))
        .filter(|start| fits(*start) && !is_part(start.checked_sub(1)) && !is_part(Some(start + word.len())))
        .map(|start| (lower[start].0, lower[start + word.len() - 1].1))
        .collect()
}

/// What an id or a name may go on with.
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn person(id: &str, name: &str, surname: &str) -> Person {
        Person { id: id.to_owned(), name: Some((name.to_owned(), surname.to_owned())) }
    }

    #[test]
    fn an_id_counts_as_a_word_and_a_name_only_with_its_surname() {
        let ada = person("ada-1", "Ada", "Löve");
        for text in ["ada-1", "for ADA-1, twice", r#"{"customer":"ada-1"}"#, "Löve, Ada", "mr ada middle LÖVE"] {
            assert!(ada.is_named_in(text), "{text}");
        }
        for text in ["ada-12", "xada-1", "Ada", "Löve", "Adalbert Löve", "my-ada-1"] {
            assert!(!ada.is_named_in(text), "{text}");
        }
        let far = format!("Ada {} Löve", "x ".repeat(NEAR_BYTES));
        assert!(!ada.is_named_in(&far));
    }

    #[test]
    fn what_names_a_person_is_taken_out_and_the_rest_stays() {
        let ada = person("ada-1", "Ada", "Löve");
        let out = |text: &str| ada.taken_out_of(text);
        assert_eq!(out("desk for Ada Löve (ada-1)").as_deref(), Some("desk for [erased] [erased] ([erased])"));
        assert_eq!(out("Ada called, then ADA-1"), Some("Ada called, then [erased]".to_owned()));
        assert_eq!(out("a desk"), None);
        assert!(!ada.is_named_in(&out("ada-1 Ada Löve").unwrap()));
    }

    #[test]
    fn in_bytes_a_person_is_found_however_they_are_written() {
        let ada = person("HH-2385", "Zoë", "Quixwood");
        let search = ada.search();
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
    fn a_short_id_counts_in_quotes_only() {
        let search = Person { id: "7".to_owned(), name: None }.search();
        assert!(search.places(b"17 7 \x007\x00 x=7").is_empty());
        assert_eq!(search.places(br#"{"customerId":"7"}"#), [15]);
    }
}
