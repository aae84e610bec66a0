//! Which letters: every part that is given must fit.

use events::{FieldError, Timestamp, topology};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Letters named one by one, at most.
const MAX_NAMED: usize = 1_000;

/// Which letters. A part that is left out lets everything through.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Filter {
    /// Whose dead letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "consumer")]
    pub consumer: Option<String>,
    /// Wire type, with or without `com.onlineboutique.`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// Which order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Why they died, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// One cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// `open`, `replaying`, `handled` or `archived`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "state")]
    pub state: Option<String>,
    /// Died last at or after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Died last before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Letters named one by one; then nothing else is looked at. At most 1,000.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_NAMED))]
    pub letters: Vec<String>,
}

/// A consumer of the topology, or all.
pub(crate) fn consumer(_: &mut SchemaGenerator) -> Schema {
    let mut names: Vec<Option<&str>> = topology::consumers().into_iter().map(Some).collect();
    names.push(None);
    json_schema!({ "enum": names })
}

/// Where a letter stands, or anywhere.
pub(crate) fn state(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["open", "replaying", "handled", "archived", null] })
}

impl Filter {
    /// The filter as the tables know it.
    ///
    /// # Errors
    /// [`FieldError`] for a consumer or state that does not exist, or too many names.
    pub(crate) fn checked(mut self) -> Result<Self, FieldError> {
        if let Some(consumer) = &self.consumer
            && !topology::consumers().contains(&consumer.as_str())
        {
            return Err(FieldError::new("consumer", "is not a consumer of the topology"));
        }
        if let Some(state) = &self.state
            && !["open", "replaying", "handled", "archived"].contains(&state.as_str())
        {
            return Err(FieldError::new("state", "is not open, replaying, handled or archived"));
        }
        if self.letters.len() > MAX_NAMED {
            return Err(FieldError::new("letters", format!("are more than {MAX_NAMED}")));
        }
        self.event_type = self.event_type.map(|name| match name.starts_with(topology::TYPE_PREFIX) {
            true => name,
            false => format!("{}{name}", topology::TYPE_PREFIX),
        });
        Ok(self)
    }

    pub(crate) fn since_ms(&self) -> i64 {
        self.from.map_or(0, |time| time.as_millisecond())
    }

    pub(crate) fn until_ms(&self) -> i64 {
        self.to.map_or(i64::MAX, |time| time.as_millisecond())
    }

    /// A part as a parameter: empty for all.
    pub(crate) fn or_all(part: &Option<String>) -> &str {
        part.as_deref().unwrap_or_default()
    }
}
