//! Errors as `application/problem+json` (RFC 9457).

use axum::response::{IntoResponse, Response};
use events::FieldError;
use events::states::Illegal;
use http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::StoreError;
use tracing::error;

use crate::failure::Failure;
use crate::request_id::RequestId;

/// What went wrong, for a program (`code`) and for a person (`detail`). The inner cause is logged, never sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// URI of the kind of problem; stable.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable code, the last part of `type`.
    pub code: String,
    /// What happened this time and what to do about it.
    pub detail: String,
    /// Fields at fault, each with its path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// One field at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldProblem {
    /// Where it is, `lines[0].quantity`.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Problem {
    /// A problem of a kind.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("https://onlineboutique.com/problems/{}", code.replace('_', "-")),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// 400: the request cannot be read.
    pub fn bad_request(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 404: there is no such thing.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// 409: the thing is in a state that forbids it.
    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422: understood, and refused.
    pub fn unprocessable(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 503: not now.
    pub fn unavailable(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
    }

    /// 500: a mistake of ours. `cause` goes to the log only.
    pub fn internal(cause: &str) -> Self {
        error!(cause, "internal error");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "something went wrong here, the log knows more")
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.detail)?;
        for FieldProblem { path, problem } in &self.errors {
            write!(f, "; {path} {problem}")?;
        }
        Ok(())
    }
}

impl From<FieldError> for Problem {
    fn from(FieldError { path, problem }: FieldError) -> Self {
        let mut this = Self::bad_request("invalid_field", format!("{path} {problem}"));
        this.errors.push(FieldProblem { path, problem });
        this
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_transient() {
            tracing::warn!(%error, "the database cannot take this now");
            Self::unavailable("database_unavailable", "the database cannot take this now, try again")
        } else {
            Self::internal(&error.to_string())
        }
    }
}

impl From<Illegal> for Problem {
    fn from(illegal: Illegal) -> Self {
        Self::conflict("illegal_state", illegal.to_string())
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Transient { code, reason } => Self::unavailable(code.as_str(), reason),
            Failure::Permanent { code, reason } => Self::unprocessable(code.as_str(), reason),
        }
    }
}

/// A problem as it is sent: with the request it is about, so that a person can find the cause in the log.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    problem: &'a Problem,
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let told = Told { problem: &self, request_id: RequestId::current().map(|id| id.to_string()) };
        let body = serde_json::to_vec(&told).expect("a problem has only strings and numbers");
        let mut response = (status, body).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
