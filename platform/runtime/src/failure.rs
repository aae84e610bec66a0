//! Why a reaction failed, which decides the message's fate.

use events::{EnvelopeError, FieldError};
use store::StoreError;

/// The longest reason kept, in characters.
const MAX_REASON_CHARS: usize = 500;

/// A failed reaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It may succeed later: the database is busy, another service is down. Pub/Sub delivers the event again.
    #[error("{code}: {reason}")]
    Transient {
        /// Stable code, `database_busy`, `peer_unavailable`.
        code: &'static str,
        /// What happened, without personal data.
        reason: String,
    },
    /// It cannot succeed as things are: the event goes to the dead letter with its reason. Mend the cause, then replay.
    #[error("{code}: {reason}")]
    Permanent {
        /// Stable code, `bad_payload`, `illegal_state`.
        code: &'static str,
        /// What happened, without personal data.
        reason: String,
    },
}

impl Failure {
    /// A failure that trying again may mend.
    pub fn transient(code: &'static str, reason: impl Into<String>) -> Self {
        Failure::Transient { code, reason: clip(reason.into()) }
    }

    /// A failure that trying again cannot mend.
    pub fn permanent(code: &'static str, reason: impl Into<String>) -> Self {
        Failure::Permanent { code, reason: clip(reason.into()) }
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Failure::Transient { code, .. } | Failure::Permanent { code, .. } => code,
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
            StoreError::Constraint { .. } => Failure::permanent("constraint", error.to_string()),
            _ if error.is_transient() => Failure::transient("database_unavailable", error.to_string()),
            _ => Failure::permanent("database_error", error.to_string()),
        }
    }
}

impl From<EnvelopeError> for Failure {
    fn from(error: EnvelopeError) -> Self {
        Failure::permanent(error.code(), error.to_string())
    }
}

impl From<FieldError> for Failure {
    fn from(error: FieldError) -> Self {
        Failure::permanent("invalid_fact", error.to_string())
    }
}

fn clip(reason: String) -> String {
    if reason.chars().count() <= MAX_REASON_CHARS { reason } else { reason.chars().take(MAX_REASON_CHARS).collect() }
}

/// A name for failures alike: the code and the reason with ids and numbers taken out, hashed. The same for the same cause in every order.
#[must_use]
pub fn fingerprint(code: &str, reason: &str) -> String {
    let mut shape = String::with_capacity(reason.len());
    for word in reason.split_whitespace() {
        let varies = word.chars().any(|c| c.is_ascii_digit());
        shape.push_str(if varies { "#" } else { word });
        shape.push(' ');
    }
    events::id::derived(code, &shape).simple().to_string()[..12].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_ignore_ids_and_numbers() {
        let one = fingerprint("illegal_state", "order 0190-aa is shipped since 12 s");
        let two = fingerprint("illegal_state", "order 0190-bb is shipped since 99 s");
        assert_eq!(one, two);
        assert_ne!(one, fingerprint("illegal_state", "order 0190-aa is cancelled since 12 s"));
        assert_ne!(one, fingerprint("bad_payload", "order 0190-aa is shipped since 12 s"));
    }

    #[test]
    fn a_busy_database_is_tried_again_and_a_broken_rule_is_not() {
        let busy = StoreError::Busy { reason: "queue full".into() };
        let broken = StoreError::Constraint { what: "reserved".into() };
        assert!(matches!(Failure::from(busy), Failure::Transient { .. }));
        assert!(matches!(Failure::from(broken), Failure::Permanent { .. }));
    }
}
