//! Which page of a list a client asks for: `?limit=&after=`.

use std::borrow::Cow;

use axum::extract::{FromRequestParts, Query};
use events::id::InvalidId;
use events::{EventId, FieldError};
use http::request::Parts;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
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

/// The query of a page.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Asked<K> {
    /// Items on the page; 100 without it.
    // Text, so that what is no number is named by its own field.
    #[schemars(with = "Option<u32>", range(min = 1, max = 500))]
    limit: Option<String>,
    /// Key of the last item of the page before.
    after: Option<K>,
}

/// The key of a list that is ordered by ids, as text: an id, or nothing for the first page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Key(String);

impl JsonSchema for Key {
    fn schema_name() -> Cow<'static, str> {
        "Key".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9._-]{0,64}$" })
    }
}

impl TryFrom<String> for Key {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        if !text.is_empty() {
            text.parse::<EventId>()?;
        }
        Ok(Self(text))
    }
}

impl From<Key> for String {
    fn from(Key(text): Key) -> Self {
        text
    }
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
