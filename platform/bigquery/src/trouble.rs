//! What an answer that is no success means.

use broker::warehouse::Trouble;
use gcp_bigquery_client::error::{BQError, NestedResponseError};

/// Reasons that pass by themselves, whatever the status (BigQuery's error table).
const PASSING: [&str; 7] = [
    "rateLimitExceeded",
    "quotaExceeded",
    "backendError",
    "internalError",
    "jobRateLimitExceeded",
    "timeout",
    "stopped",
];

/// Whether a reason passes by itself.
pub(crate) fn passes(reason: &str) -> bool {
    PASSING.contains(&reason)
}

/// A failed call. What the endpoint says is kept; it is shown in logs, so bodies of requests never are.
pub(crate) fn of(error: &BQError) -> Trouble {
    match error {
        BQError::ResponseError { error } => of_response(&error.error),
        other => Trouble::Unavailable(other.to_string()),
    }
}

fn of_response(error: &NestedResponseError) -> Trouble {
    let said = || format!("{} (status {})", error.message, error.code);
    let passing = error.errors.iter().filter_map(|e| e.get("reason")).any(|reason| passes(reason));
    match error.code {
        _ if passing => Trouble::Unavailable(said()),
        404 => Trouble::NotFound,
        401 | 403 => Trouble::PermissionDenied(said()),
        400 => Trouble::SchemaMismatch(said()),
        _ => Trouble::Unavailable(said()),
    }
}

/// Whether the endpoint found the request too large.
pub(crate) fn is_too_large(error: &BQError) -> bool {
    matches!(error, BQError::ResponseError { error } if error.error.code == 413)
}
