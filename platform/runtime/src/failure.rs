//! Why a reaction failed, which decides the message's fate.

use events::states::Illegal;
use events::{EnvelopeError, FieldError};
use store::StoreError;

use crate::codes::{Code, Kind};

/// The longest reason kept, in bytes: it has to fit a Pub/Sub attribute, which takes 1,024.
const MAX_REASON_BYTES: usize = 1_000;
/// A word of this many hexadecimal digits or more is taken for an id.
const MIN_HEX_ID_CHARS: usize = 8;

/// A failed reaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It may succeed later: the database is busy, another service is down. Pub/Sub delivers the event again.
    #[error("{code}: {reason}")]
    Transient {
        /// Why, in one word of the documented list.
        code: Code,
        /// What happened, without personal data.
        reason: String,
    },
    /// It cannot succeed as things are: the event goes to the dead letter with its reason. Mend the cause, then replay.
    #[error("{code}: {reason}")]
    Permanent {
        /// Why, in one word of the documented list.
        code: Code,
        /// What happened, without personal data.
        reason: String,
    },
}

impl Failure {
    /// A failure that trying again may mend.
    pub fn transient(code: Code, reason: impl Into<String>) -> Self {
        debug_assert_eq!(code.kind(), Kind::Transient, "the page of {code} says that it is not tried again");
        Failure::Transient { code, reason: clip(reason.into()) }
    }

    /// A failure that trying again cannot mend.
    pub fn permanent(code: Code, reason: impl Into<String>) -> Self {
        debug_assert_eq!(code.kind(), Kind::Permanent, "the page of {code} says that it is tried again");
        Failure::Permanent { code, reason: clip(reason.into()) }
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Failure::Transient { code, .. } | Failure::Permanent { code, .. } => code.as_str(),
        }
    }

    /// What happened.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Failure::Transient { reason, .. } | Failure::Permanent { reason, .. } => reason,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Constraint { .. } => Failure::permanent(Code::Constraint, error.to_string()),
            _ if error.is_transient() => Failure::transient(Code::DatabaseUnavailable, error.to_string()),
            _ => Failure::permanent(Code::DatabaseError, error.to_string()),
        }
    }
}

impl From<EnvelopeError> for Failure {
    fn from(error: EnvelopeError) -> Self {
        let code = match &error {
            EnvelopeError::Missing(_) | EnvelopeError::Context(_) => Code::BadEnvelope,
            EnvelopeError::Data(_) | EnvelopeError::TooLarge(_) => Code::BadPayload,
            EnvelopeError::Newer(..) => Code::NewerVersion,
        };
        Failure::permanent(code, error.to_string())
    }
}

impl From<FieldError> for Failure {
    fn from(error: FieldError) -> Self {
        Failure::permanent(Code::InvalidFact, error.to_string())
    }
}

impl From<Illegal> for Failure {
    fn from(illegal: Illegal) -> Self {
        Failure::permanent(Code::IllegalState, illegal.to_string())
    }
}

fn clip(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES));
    reason
}

/// A name for failures alike: the code and the reason with everything taken out that differs from order to order, hashed.
///
/// Taken out are quoted texts, words with a digit (ids, times, amounts, counts), words of hexadecimal digits, and the index in
/// `lines[3].quantity`, whose field stays. The same for the same cause in every order, on every machine and in every release.
#[must_use]
pub fn fingerprint(code: &str, reason: &str) -> String {
    let unquoted = without_quotes(reason);
    let mut shape = String::with_capacity(unquoted.len());
    for word in unquoted.split_whitespace() {
        let word = without_indexes(word);
        shape.push_str(if varies(&word) { "#" } else { &word });
        shape.push(' ');
    }
    events::id::derived(code, &shape).simple().to_string()[..12].to_owned()
}

/// The reason with a mark in place of each text in quotes. An apostrophe within a word is no quote.
fn without_quotes(reason: &str) -> String {
    let mut out = String::with_capacity(reason.len());
    let mut open: Option<char> = None;
    let mut before = ' ';
    for c in reason.chars() {
        match open {
            Some(quote) if c == quote => {
                open = None;
                out.push('#');
            }
            Some(_) => {}
            None if matches!(c, '"' | '`') || (c == '\'' && !before.is_alphanumeric()) => open = Some(c),
            None => out.push(c),
        }
        before = c;
    }
    if open.is_some() {
        out.push('#');
    }
    out
}

/// `lines[12].quantity` as `lines[].quantity`: which line it was varies, which field it was does not.
fn without_indexes(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        out.push('[');
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out.push_str(rest);
    out
}

fn varies(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    let is_hex = bare.len() >= MIN_HEX_ID_CHARS && bare.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    is_hex || word.chars().any(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reasons that differ only by what differs from order to order.
    const ALIKE: &[&[&str]] = &[
        &["order 0190-aa is shipped since 12 s", "order 0190-bb is shipped since 99 s"],
        // UUIDs, one of them without a digit.
        &["hold 5f0c7e9a-7c1e-7d7e-9f4e-3f1f0a9d6b11 is gone", "hold abcdefab-cdef-abcd-efab-cdefabcdefab is gone"],
        // Hexadecimal ids.
        &["event deadbeefcafe was lost", "event 0badf00d1234 was lost", "event (feedfacefeed) was lost"],
        // Product ids without a digit, in every kind of quotes.
        &[
            "product \"SOFA\" is not in the ledger",
            "product \"RED LAMP\" is not in the ledger",
            "product \"9SIQT8\" is not in the ledger",
        ],
        &["unknown variant `FOO`, expected one", "unknown variant `BAR BAZ`, expected one"],
        &["value 'abc is cut", "value 'defg hij is cut"],
        // Times and amounts.
        &["lapsed at 2026-01-01T00:00:00Z", "lapsed at 2026-11-22T13:20:11.5+01:00"],
        &["a refund of 12.50 USD is more", "a refund of 1,303.99 USD is more"],
        &["owes $12", "owes $9.99"],
        // Which line, but not which field.
        &["data.lines[0].quantity: must be 1 or more", "data.lines[17].quantity: must be 1 or more"],
    ];

    #[test]
    fn fingerprints_ignore_ids_numbers_times_amounts_and_what_is_quoted() {
        for alike in ALIKE {
            for other in *alike {
                assert_eq!(fingerprint("illegal_state", alike[0]), fingerprint("illegal_state", other), "{other}");
            }
        }
    }

    #[test]
    fn fingerprints_tell_causes_apart() {
        let one = |reason| fingerprint("illegal_state", reason);
        assert_ne!(one("order 0190-aa is shipped"), one("order 0190-aa is cancelled"));
        assert_ne!(one("data.lines[0].quantity: is missing"), one("data.lines[0].unitPrice: is missing"));
        assert_ne!(one("the customer's account is closed"), one("the customer's account is missing"));
        assert_ne!(one("accede"), one("facade"), "short words of the letters a to f are words");
        assert_ne!(one("no"), fingerprint("bad_payload", "no"));
    }

    #[test]
    fn fingerprints_stay_the_same_over_releases() {
        assert_eq!(fingerprint("illegal_state", "the order's invoice is reversed"), "c533846d7d0b");
    }

    #[test]
    fn a_reason_fits_an_attribute_whatever_it_is_written_in() {
        let failure = Failure::permanent(Code::BadPayload, "ü€".repeat(400));
        assert!(failure.reason().len() <= 1_000 && failure.reason().starts_with("ü€ü€"));
    }

    #[test]
    fn an_envelope_error_keeps_its_word() {
        for error in [
            EnvelopeError::Missing("id"),
            EnvelopeError::Data(FieldError::new("data", "is not an object")),
            EnvelopeError::Newer("x.v2".to_owned(), 1),
        ] {
            let code = error.code();
            assert_eq!(Failure::from(error).code(), code);
        }
    }

    #[test]
    fn a_busy_database_is_tried_again_and_a_broken_rule_is_not() {
        let busy = StoreError::Busy { reason: "queue full".into() };
        let broken = StoreError::Constraint { what: "reserved".into() };
        assert!(matches!(Failure::from(busy), Failure::Transient { .. }));
        assert!(matches!(Failure::from(broken), Failure::Permanent { .. }));
    }
}
