//! Every code a failure may have, in one list. A code without its page in `codes/` does not compile; `boutique explain` prints the page.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether trying again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Pub/Sub delivers the event again.
    Transient,
    /// The event goes to the consumer's dead letters.
    Permanent,
}

impl Kind {
    /// The word for it in tables and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Transient => "transient",
            Kind::Permanent => "permanent",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $name:literal $kind:ident,)*) => {
        /// Why something failed, as a stable word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code there is, in alphabetical order.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The word on the wire, in tables and in logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// Whether the event comes again by itself.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Code::$variant => Kind::$kind,)* }
            }

            /// What happened, whether it is tried again and what to do: Markdown, for people.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self { $(Code::$variant => include_str!(concat!("../codes/", $name, ".md")),)* }
            }
        }
    };
}

codes! {
    /// Pub/Sub gave up after its last delivery; the consumer kept no reason of its own.
    AttemptsExhausted "attempts_exhausted" Permanent,
    /// The context attributes are not those of an event.
    BadEnvelope "bad_envelope" Permanent,
    /// The payload does not fit its type.
    BadPayload "bad_payload" Permanent,
    /// Somebody else changed the same thing between reading and writing it.
    ChangedMeanwhile "changed_meanwhile" Transient,
    /// The database refused a row by a rule of its own.
    Constraint "constraint" Permanent,
    /// The database refused a statement, or held something unexpected.
    DatabaseError "database_error" Permanent,
    /// The database is busy, full or out of reach.
    DatabaseUnavailable "database_unavailable" Transient,
    /// The fact does not fit the state of what it is about.
    IllegalState "illegal_state" Permanent,
    /// A fact's values are out of their bounds.
    InvalidFact "invalid_fact" Permanent,
    /// The order's invoice is not there yet.
    InvoicePending "invoice_pending" Transient,
    /// The event's version is newer than this program.
    NewerVersion "newer_version" Permanent,
    /// Another service refused what it was asked.
    PeerRefused "peer_refused" Permanent,
    /// Another service could not be reached or did not answer in time.
    PeerUnavailable "peer_unavailable" Transient,
    /// Another service's answer breaks its contract.
    PeerUnexpected "peer_unexpected" Permanent,
    /// The order holds as many facts as it may.
    TooManyFacts "too_many_facts" Permanent,
    /// The customer of the event is not in the CRM.
    UnknownCustomer "unknown_customer" Permanent,
}

impl Code {
    /// The first sentence of the page: what happened, in one line.
    #[must_use]
    pub fn summary(self) -> &'static str {
        self.page().lines().skip(1).find(|line| !line.trim().is_empty()).unwrap_or_default()
    }
}

/// There is no such code; [`Code::ALL`] lists those there are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no code {0:?}")]
pub struct NoSuchCode(pub String);

impl FromStr for Code {
    type Err = NoSuchCode;

    fn from_str(text: &str) -> Result<Self, NoSuchCode> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or_else(|| NoSuchCode(text.to_owned()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<&str> for Code {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const HEADINGS: [&str; 4] = ["## What happened", "## Is it tried again", "## What to do", "## Example"];

    #[test]
    fn every_code_has_a_page_that_answers_what_people_ask() {
        for code in Code::ALL {
            let page = code.page();
            assert!(page.starts_with(&format!("# {code}\n")), "{code}: the title is not the code");
            assert!(code.summary().len() > 20, "{code} has no summary");
            let mut rest = page;
            for heading in HEADINGS {
                let found = rest
                    .find(&format!("\n{heading}\n"))
                    .unwrap_or_else(|| panic!("{code} lacks {heading:?}, or in order"));
                rest = &rest[found + heading.len()..];
                let body = rest.lines().skip(1).take_while(|line| !line.starts_with("## ")).collect::<String>();
                assert!(body.len() > 20, "{code}: nothing below {heading:?}");
            }
            assert!(rest.contains("boutique "), "{code}: the example shows no command");
            let again = match code.kind() {
                Kind::Transient => "\nYes",
                Kind::Permanent => "\nNo",
            };
            assert!(
                page.contains(&format!("## Is it tried again\n{again}")),
                "{code} says the wrong thing about trying again"
            );
        }
    }

    #[test]
    fn every_page_is_of_a_code_and_every_code_is_listed_once() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/codes");
        let pages: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        let listed: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(listed.is_sorted(), "the list is in alphabetical order");
        assert_eq!(pages, listed.iter().map(|name| (*name).to_owned()).collect());
        assert!(listed.iter().all(|name| name.parse::<Code>().unwrap() == *name));
        assert!("no_such_code".parse::<Code>().is_err());
    }
}
