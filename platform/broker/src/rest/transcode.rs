//! From an HTTP request to an encoded request of the gRPC method behind it. Pure: no broker, no clock.

#[cfg(test)]
mod tests;

use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, ReflectMessage, Value};

use super::json;
use super::query::Query;
use super::route::{Content, find};
use crate::error::{Code, Refusal};
use crate::proto;

/// A call of a gRPC method.
#[derive(Debug)]
pub(super) struct Call {
    /// The method.
    pub(super) path: &'static str,
    /// What it is asked, encoded.
    pub(super) request: Vec<u8>,
    /// What it answers with.
    pub(super) answer: MessageDescriptor,
    /// How the answer is written.
    pub(super) enums_as_numbers: bool,
}

/// Reads a request: method, path and query as they came, body.
pub(super) fn transcode(verb: &str, path: &str, query: &str, body: &[u8]) -> Result<Call, Refusal> {
    let Some((route, field, name)) = find(verb, path) else {
        return Err(Refusal::new(Code::NotFound, format!("no such method: {verb} {path}")));
    };
    let method = proto::method(route.method).expect("every method of the table is in the texts: a test holds it");
    let query = Query::parse(query)?;
    let mut request = content(route.content, method.input(), body)?;
    let bodys_own = if let Content::Field(field) = route.content { Some(field) } else { None };
    query.fill(&mut request, bodys_own)?;
    bind(&mut request, field, name)?;
    Ok(Call {
        path: route.method,
        request: request.encode_to_vec(),
        answer: method.output(),
        enums_as_numbers: query.enums_as_numbers,
    })
}

/// A request as its body says.
fn content(content: Content, kind: MessageDescriptor, body: &[u8]) -> Result<DynamicMessage, Refusal> {
    match content {
        Content::Whole => json::read(kind, body),
        Content::Field(name) => {
            let mut request = DynamicMessage::new(kind);
            let field = request.descriptor().get_field_by_name(name);
            let field = field.expect("every field of the table is in the texts: a test holds it");
            let inner = field.kind().as_message().cloned().expect("a body's field is a message: a test holds it");
            request.set_field(&field, Value::Message(json::read(inner, body)?));
            Ok(request)
        }
        Content::None => {
            if !matches!(body.trim_ascii(), b"" | b"{}") {
                return Err(Refusal::invalid("Invalid JSON payload received. The method takes no body"));
            }
            Ok(DynamicMessage::new(kind))
        }
    }
}

/// Sets the field the path names, such as `topic.name`. Another value in its place is refused.
fn bind(request: &mut DynamicMessage, field: &str, name: String) -> Result<(), Refusal> {
    let mut message = request;
    let mut last = field;
    while let Some((outer, inner)) = last.split_once('.') {
        let below = message.get_field_by_name_mut(outer).and_then(Value::as_message_mut);
        message = below.expect("a path's outer fields are messages: a test holds it");
        last = inner;
    }
    let field = message.descriptor().get_field_by_name(last);
    let field = field.expect("every field of the table is in the texts: a test holds it");
    match message.get_field(&field).as_str() {
        Some(other) if !other.is_empty() && other != name => {
            Err(Refusal::invalid(format!("{} in the request is not {name}, the one in its path", field.json_name())))
        }
        _ => {
            message.set_field(&field, Value::String(name));
            Ok(())
        }
    }
}
