//! The two kinds of failure: a broker that cannot start, and a call that is refused.

use std::path::PathBuf;

pub(crate) use tonic::Code;

use crate::grpc;

/// Why a broker did not start or did not stop cleanly.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The port cannot be bound, most often because another process has it. Choose another address.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another broker runs on the same data directory. Stop it, or give this one its own directory.
    #[error("data directory {path} is in use by another broker")]
    InUse {
        /// The data directory.
        path: PathBuf,
    },
    /// The data directory cannot be read or written. Nothing was changed.
    #[error("cannot use {path}")]
    Data {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file in the data directory is damaged where a crash cannot have done it. Nothing was changed: restore
    /// it from a copy, or move it away and accept the loss of what it holds.
    #[error("{path} is damaged at byte {offset}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// First byte that makes no sense.
        offset: u64,
    },
    /// A setting is out of its range.
    #[error("setting {name} is out of range")]
    Setting {
        /// The field of [`Settings`](crate::Settings).
        name: &'static str,
    },
    /// The thread that writes the log could not be started.
    #[error("cannot start the log's writer")]
    Writer(#[source] std::io::Error),
}

/// Why a call is refused: a gRPC code and a sentence for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// What to say about single things, by their names: the metadata of a `google.rpc.ErrorInfo`.
    pub(crate) details: Vec<(String, String)>,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into(), details: Vec::new() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Refusal {
        Refusal::new(Code::InvalidArgument, message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Refusal {
        Refusal::new(Code::Unavailable, message)
    }

    /// The service does this; this broker does not yet.
    pub(crate) fn unimplemented(what: &str) -> Refusal {
        Refusal::new(Code::Unimplemented, format!("{what} is not implemented by this broker"))
    }

    /// The service's wording for a name that is not there.
    pub(crate) fn not_found(kind: &str, name: &str) -> Refusal {
        let short = name.rsplit('/').next().unwrap_or(name);
        Refusal::new(Code::NotFound, format!("{kind} not found (resource={short}): {name}"))
    }

    /// The service's wording for a name that is taken.
    pub(crate) fn already_exists(kind: &str, name: &str) -> Refusal {
        let short = name.rsplit('/').next().unwrap_or(name);
        Refusal::new(Code::AlreadyExists, format!("{kind} already exists in the project (resource={short}): {name}"))
    }
}

impl From<Refusal> for tonic::Status {
    fn from(refusal: Refusal) -> tonic::Status {
        if refusal.details.is_empty() {
            return tonic::Status::new(refusal.code, refusal.message);
        }
        let details = grpc::details(&refusal);
        tonic::Status::with_details(refusal.code, refusal.message, details)
    }
}
