//! What fits a schema: definitions, messages, and the settings of topics.

use std::sync::Arc;

use google_cloud_googleapis::pubsub::v1 as pb;
use pb::validate_message_request::SchemaSpec;

use crate::core::Core;
use crate::error::Refusal;
use crate::names;
use crate::schema::{Definition, Encoding, Guard, Type};

/// Checks a topic's schema settings and binds them to the schema they name. Called on the log's writer (in a change
/// of the catalogue), so that the schema is not deleted in between; the answer goes to `Topic::set_guard`.
///
/// # Errors
/// `NOT_FOUND` for a schema or revision that is not there, `INVALID_ARGUMENT` for settings that make no sense.
pub(crate) fn check_schema_settings(core: &Core, settings: &pb::SchemaSettings) -> Result<Guard, Refusal> {
    names::check(&settings.schema, "schemas")?;
    Guard::new(settings.clone(), core.schema(&settings.schema)?)
}

pub(crate) async fn validate_schema(request: pb::ValidateSchemaRequest) -> Result<pb::ValidateSchemaResponse, Refusal> {
    names::project(&request.parent)?;
    let schema = request.schema.ok_or_else(|| Refusal::invalid("The schema to validate is missing"))?;
    parsed(&schema).await?;
    Ok(pb::ValidateSchemaResponse {})
}

pub(crate) async fn validate_message(
    core: &Core,
    request: pb::ValidateMessageRequest,
) -> Result<pb::ValidateMessageResponse, Refusal> {
    names::project(&request.parent)?;
    let encoding = Encoding::of(request.encoding)
        .ok_or_else(|| Refusal::invalid("The encoding of the message must be JSON or BINARY"))?;
    let definition = match &request.schema_spec {
        Some(SchemaSpec::Name(name)) => super::schemas::revision(core, name)?.definition.map_err(Refusal::invalid)?,
        Some(SchemaSpec::Schema(schema)) => parsed(schema).await?,
        None => return Err(Refusal::invalid("The schema to validate the message with is missing")),
    };
    let checked = blocking(move || definition.validate(encoding, &request.message)).await?;
    checked
        .map_err(|why| Refusal::invalid(format!("Invalid data in message: Message failed schema validation. {why}")))?;
    Ok(pb::ValidateMessageResponse {})
}

/// Parses the definition a request brings.
pub(super) async fn parsed(schema: &pb::Schema) -> Result<Arc<Definition>, Refusal> {
    let kind = schema.r#type();
    if kind == Type::Unspecified {
        return Err(Refusal::invalid("Invalid schema type: it must be AVRO or PROTOCOL_BUFFER"));
    }
    let text = schema.definition.clone();
    let parsed = blocking(move || Definition::parse(kind, &text)).await?;
    parsed.map(Arc::new).map_err(|why| Refusal::invalid(format!("Invalid schema definition: {why}")))
}

/// Does what may take long where it holds up nobody.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    // It ends early only when the runtime stops, or by a panic, which is reported where it happens.
    tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::unavailable("the schema cannot be looked at now"))
}
