//! What a request's path and query say, read with errors that are problems.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use events::{FieldError, ProductId};
use runtime::Problem;
use runtime::openapi::{Operation, Takes};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::limits::{DEFAULT_PAGE, MAX_PAGE};

/// The one thing the path names; a name that is none of its kind is not found.
#[derive(Debug, Clone)]
pub struct Named<T>(pub T);

impl<T: FromStr + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let named = path.ok().and_then(|Path(text)| text.parse().ok());
        named.map(Self).ok_or_else(|| Problem::not_found("thing"))
    }
}

impl<T: JsonSchema> Takes for Named<T> {
    fn taken(operation: Operation) -> Operation {
        operation.in_path::<T>().refuses(404, "there is no such thing")
    }
}

/// The query.
#[derive(Debug, Clone)]
pub struct Asked<T>(pub T);

impl<T: JsonSchema> Takes for Asked<T> {
    fn taken(operation: Operation) -> Operation {
        operation.query::<T>().refuses(400, "the query cannot be read; `errors` names the field")
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(_) => Err(Problem::bad_request("invalid_query", "the query cannot be read")),
        }
    }
}

/// The query of a list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct ListQuery {
    /// The longest page wanted. 1..=[`MAX_PAGE`], [`DEFAULT_PAGE`] when absent.
    #[schemars(with = "Option<u32>", range(min = 1, max = MAX_PAGE))]
    pub limit: Option<String>,
    /// The last thing of the page before.
    #[schemars(with = "Option<ProductId>")]
    pub after: Option<String>,
    /// Only these, separated by commas, at most 100; what is no id names nothing.
    #[schemars(regex(pattern = "^[^,]*(,[^,]*){0,99}$"))]
    pub ids: Option<String>,
}

impl ListQuery {
    /// The longest page wanted.
    ///
    /// # Errors
    /// [`FieldError`] for anything but a whole number in range.
    pub fn limit(&self) -> Result<u32, FieldError> {
        let Some(text) = &self.limit else { return Ok(DEFAULT_PAGE) };
        let limit = text.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
        limit.ok_or_else(|| FieldError::new("limit", format!("must be 1 to {MAX_PAGE}")))
    }

    /// The last thing of the page before; `None` for the first page.
    ///
    /// # Errors
    /// [`FieldError`] for what cannot be one.
    pub fn after<T: FromStr>(&self) -> Result<Option<T>, FieldError> {
        let Some(text) = &self.after else { return Ok(None) };
        text.parse().map(Some).map_err(|_| FieldError::new("after", "is not the end of a page"))
    }
}
