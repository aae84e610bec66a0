//! Which page of a list a client asks for: `?limit=&after=`.

use axum::extract::{FromRequestParts, Query};
use events::FieldError;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Items on a page when the client does not say.
const DEFAULT_LIMIT: u32 = 100;
/// The most items on a page.
const MAX_LIMIT: u32 = 500;

/// A page of a list that is keyed by `K`. An extractor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<K> {
    /// Items on it. 1..=500, 100 unless told.
    pub limit: u32,
    /// Key of the last item of the page before; `None` for the first page.
    pub after: Option<K>,
}

#[derive(Deserialize)]
struct Asked<K> {
    /// Text, so that what is no number is named by its own field.
    limit: Option<String>,
    after: Option<K>,
}

impl<K: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Page<K> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Query::<Asked<K>>::try_from_uri(&parts.uri);
        let Query(Asked { limit, after }) = query.map_err(|error| FieldError::new("query", error.body_text()))?;
        let limit = match limit {
            None => Some(DEFAULT_LIMIT),
            Some(text) => text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)),
        };
        let limit = limit.ok_or_else(|| FieldError::new("limit", format!("must be 1 to {MAX_LIMIT}")))?;
        Ok(Self { limit, after })
    }
}
