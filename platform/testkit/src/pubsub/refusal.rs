//! A call that is refused, with gRPC's code.

/// gRPC's codes, as far as Pub/Sub answers with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// The request breaks a limit or makes no sense. Trying again does not help.
    InvalidArgument,
    /// No such topic, subscription or snapshot.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// Not in the state the resource is in.
    FailedPrecondition,
    /// Out of reach for now. Trying again helps.
    Unavailable,
    /// Known, and not done here.
    Unimplemented,
    /// Any other, by its number.
    Other(i32),
}

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code:?}: {message}")]
pub struct Refusal {
    /// gRPC's code.
    pub code: Code,
    /// For a person.
    pub message: String,
}

impl Refusal {
    pub(super) fn invalid(message: impl Into<String>) -> Refusal {
        Refusal { code: Code::InvalidArgument, message: message.into() }
    }

    pub(super) fn not_found(name: &str) -> Refusal {
        Refusal { code: Code::NotFound, message: format!("{name} does not exist") }
    }

    pub(super) fn already_exists(name: &str) -> Refusal {
        Refusal { code: Code::AlreadyExists, message: format!("{name} exists already") }
    }

    pub(super) fn precondition(message: impl Into<String>) -> Refusal {
        Refusal { code: Code::FailedPrecondition, message: message.into() }
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Refusal {
        Refusal { code: Code::Unavailable, message: message.into() }
    }
}
