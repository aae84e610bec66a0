//! `?limit=&after=` of a list.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use events::FieldError;
use serde::Deserialize;

/// Items on a page when the client does not say.
const DEFAULT_LIMIT: u32 = 100;
/// The most items on a page.
const MAX_LIMIT: u32 = 500;

/// Which page a client asks for, as it came.
#[derive(Debug, Deserialize)]
pub(crate) struct PageQuery {
    limit: Option<u32>,
    after: Option<i64>,
}

/// Which page a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Items on it. 1..=500.
    pub(crate) limit: u32,
    /// The last id of the page before; 0 for the first page.
    pub(crate) after: i64,
}

/// Reads the query.
///
/// # Errors
/// [`FieldError`] for a limit that is no number in range, or an id that is no number.
pub(crate) fn page(query: Result<Query<PageQuery>, QueryRejection>) -> Result<Page, FieldError> {
    let Query(PageQuery { limit, after }) = query.map_err(|error| FieldError::new("query", error.body_text()))?;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(FieldError::new("limit", format!("must be 1 to {MAX_LIMIT}")));
    }
    Ok(Page { limit, after: after.unwrap_or_default() })
}
