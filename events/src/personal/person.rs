//! How a person is looked for in what people and programs wrote, and taken out of it.
//!
//! Their id counts wherever it stands as a word; their name counts where name and surname stand close to each other, because a first name
//! alone is many people's. Case does not matter. An id that is short, or could be a number, is a part of too much: it counts only as
//! a whole text, or in quotes.
//!
//! JSON stays JSON: only what stands in its strings is looked at and replaced, never a number or a brace.

use serde::de::IgnoredAny;

use super::search::Search;

/// Stands in free text where a person was named.
pub const ERASED: &str = "[erased]";

/// Bytes between a name and its surname, at most, for the two to be one person's.
pub(super) const NEAR_BYTES: usize = 64;
/// An id of fewer characters is part of too many words and numbers.
const SHORT_CHARS: usize = 4;
/// Members and attributes that hold a number as text: what stands there is nobody's id. The first is a dead letter's (`runtime`), the
/// second Pub/Sub's own, the third of `CloudEvents`.
const NUMBERS: [&str; 3] = ["dlattempts", "CloudPubSubDeadLetterSourceDeliveryCount", "ce-specversion"];

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
        self.places(text, &pieces(text)).iter().any(|places| !places.is_empty())
    }

    /// The text with [`ERASED`] in place of each word that names them; `None` when it names them nowhere. What was JSON still is.
    #[must_use]
    pub fn taken_out_of(&self, text: &str) -> Option<String> {
        let pieces = pieces(text);
        let places = self.places(text, &pieces);
        if places.iter().all(Vec::is_empty) {
            return None;
        }
        let (mut out, mut from) = (String::with_capacity(text.len()), 0);
        for (piece, places) in pieces.iter().zip(places).filter(|(_, places)| !places.is_empty()) {
            out.push_str(&text[from..piece.start]);
            let words = replaced(&piece.text, &places);
            out.push_str(&if piece.is_quoted { serde_json::Value::from(words).to_string() } else { words });
            from = piece.end;
        }
        out.push_str(&text[from..]);
        Some(out)
    }

    /// How they are looked for in bytes.
    #[must_use]
    pub fn search(&self) -> Search {
        Search::of(self)
    }

    /// Whether their id alone means little: it is short, or JSON could write it without quotes.
    pub(super) fn has_vague_id(&self) -> bool {
        let is_bare = self.id.parse::<f64>().is_ok() || ["true", "false", "null"].contains(&self.id.as_str());
        is_bare || self.id.chars().count() < SHORT_CHARS
    }

    /// Where each piece of the whole names them, by place in its text.
    fn places(&self, whole: &str, pieces: &[Piece]) -> Vec<Vec<(usize, usize)>> {
        let mut places: Vec<_> = pieces.iter().map(|piece| self.ids(whole, piece)).collect();
        if let Some((name, surname)) = &self.name {
            let stand = |word: &str| -> Vec<Stand> { (0..).zip(pieces).flat_map(|at| Stand::all(at, word)).collect() };
            let (names, surnames) = (stand(name), stand(surname));
            let paired = names.iter().filter(|one| surnames.iter().any(|other| one.is_near(other)));
            let paired = paired.chain(surnames.iter().filter(|one| names.iter().any(|other| one.is_near(other))));
            paired.for_each(|stand| places[stand.piece].push(stand.place));
        }
        for places in &mut places {
            places.sort_unstable();
            places.dedup();
        }
        places
    }

    fn ids(&self, whole: &str, piece: &Piece) -> Vec<(usize, usize)> {
        let mut places = words(&piece.text, &self.id);
        if self.has_vague_id() {
            let is_number = is_number(&whole.as_bytes()[..piece.start]);
            places.retain(|(start, end)| !is_number && is_alone(&piece.text[..*start], &piece.text[*end..]));
        }
        places
    }
}

/// Whether what stands between the two is all there is, or is in quotes, which JSON within a text escapes.
fn is_alone(before: &str, after: &str) -> bool {
    let is_all = before.trim().is_empty() && after.trim().is_empty();
    let is_quoted = before.ends_with('"') && (after.starts_with('"') || after.starts_with("\\\""));
    is_all || (is_quoted && !is_number(before.as_bytes()))
}

/// Whether a text that comes after `before` is a number all the same.
pub(super) fn is_number(before: &[u8]) -> bool {
    let between = |byte: &u8| matches!(byte, b'"' | b'\\' | b':' | b' ');
    let member = &before[..before.iter().rposition(|byte| !between(byte)).map_or(0, |at| at + 1)];
    NUMBERS.iter().any(|name| member.ends_with(name.as_bytes()))
}

/// A stretch of a text that may name somebody.
struct Piece {
    /// Where it begins and ends in the text, with its quotes.
    start: usize,
    end: usize,
    /// What it says.
    text: String,
    is_quoted: bool,
    /// Whether it is the name of a member of an object: part of a form, whoever's name it is.
    is_member: bool,
}

/// The strings of a text that is JSON; any other text is one piece.
fn pieces(text: &str) -> Vec<Piece> {
    if text.trim_start().starts_with(['{', '[', '"']) && serde_json::from_str::<IgnoredAny>(text).is_ok() {
        return strings(text);
    }
    let text = text.to_owned();
    vec![Piece { start: 0, end: text.len(), text, is_quoted: false, is_member: false }]
}

/// The strings of JSON.
fn strings(json: &str) -> Vec<Piece> {
    let (mut pieces, mut from): (Vec<Piece>, usize) = (Vec::new(), 0);
    while let Some(start) = json[from..].find('"').map(|at| from + at) {
        let end = start + literal_len(&json[start..]);
        let is_member = json[end..].trim_start().starts_with(':');
        // Every string of a text that is JSON can be read.
        let text = serde_json::from_str(&json[start..end]).unwrap_or_default();
        pieces.push(Piece { start, end, text, is_quoted: true, is_member });
        from = end;
    }
    pieces
}

/// Bytes of the string that `json` begins with, with both quotes.
fn literal_len(json: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    json.len()
}

/// Where a word stands.
struct Stand {
    /// Which piece it is in.
    piece: usize,
    /// Where in the piece's text.
    place: (usize, usize),
    /// Where in the whole, near enough: an escaped character is longer than it counts here.
    start: usize,
    end: usize,
    is_member: bool,
}

impl Stand {
    fn all((index, piece): (usize, &Piece), word: &str) -> Vec<Stand> {
        let stand = |place: (usize, usize)| Stand {
            piece: index,
            place,
            start: piece.start + place.0,
            end: piece.start + place.1,
            is_member: piece.is_member,
        };
        words(&piece.text, word).into_iter().map(stand).collect()
    }

    /// A member's name goes with nothing but itself: `"item": "for Ada"` is not Ada Item.
    fn is_near(&self, other: &Stand) -> bool {
        let may_pair = self.piece == other.piece || !(self.is_member || other.is_member);
        may_pair && self.start.max(other.start).saturating_sub(self.end.min(other.end)) <= NEAR_BYTES
    }
}

fn replaced(text: &str, places: &[(usize, usize)]) -> String {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (start, end) in places {
        if *start >= from {
            out.push_str(&text[from..*start]);
            out.push_str(ERASED);
            from = *end;
        }
    }
    out.push_str(&text[from..]);
    out
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
    fn an_id_that_could_be_a_number_is_taken_out_where_it_is_all_that_stands_there() {
        for id in ["1", "12", "1000", "true", "ab"] {
            let one = person(id, "Ada", "Löve");
            let saying = |word: &str| {
                let bare = r#""quantity":1,"units":[1000, 12, true],"note":"1 of 12, ab"#;
                format!(r#"{{"customerId":"{word}", {bare} \"{word}\"","dlattempts":"{id}"}}"#)
            };
            let (data, mended) = (saying(id), saying(ERASED));
            assert_eq!(one.taken_out_of(&data), Some(mended.clone()));
            assert!(!one.is_named_in(&mended));
            for text in [format!("wanted {id} of {id}"), format!("[{id}]"), format!(r#"{{"x":{id}}}"#)] {
                assert!(!one.is_named_in(&text), "{text}");
            }
            assert_eq!(one.taken_out_of(&format!(" {id} ")).as_deref(), Some(" [erased] "));
            // A payload that was cut off is no JSON, and has quotes.
            assert_eq!(one.taken_out_of(&format!(r#"{{"id":"{id}","#)).as_deref(), Some(r#"{"id":"[erased]","#));
        }
    }

    #[test]
    fn json_from_which_a_person_was_taken_is_the_same_json_but_for_their_words() {
        let ada = person("ada-1", "Ada", "Löve");
        let nested = |id: &str| json!({ "customerId": id, "quantity": 1 }).to_string();
        let data = json!({ "note": "for \"ada-1\"\n\u{7f}", "ada-1": [1, "ADA-1", "x"], "nested": nested("ada-1") });
        let mended: Value = serde_json::from_str(&ada.taken_out_of(&data.to_string()).unwrap()).unwrap();
        let expected =
            json!({ "note": "for \"[erased]\"\n\u{7f}", "[erased]": [1, ERASED, "x"], "nested": nested(ERASED) });
        assert_eq!(mended, expected);
        for (data, mended) in [
            (r#"{"name": "Ada","surname":"Löve"}"#, Some(r#"{"name": "[erased]","surname":"[erased]"}"#)),
            (r#"{"a":"L\u00f6ve, Ada"}"#, Some(r#"{"a":"[erased], [erased]"}"#)),
            (r#"{"Ada Löve":1}"#, Some(r#"{"[erased] [erased]":1}"#)),
            (r#"{"löve":"for Ada","x":"ada"}"#, None),
        ] {
            assert_eq!(ada.taken_out_of(data).as_deref(), mended);
        }
    }
}
