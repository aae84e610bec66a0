//! The envelope as the CloudEvents SDK's event and back, and the SDK's message traits for Pub/Sub messages.
//!
//! Eventarc and structured-mode deliveries arrive through the SDK's HTTP binding and pass through here. The push path of every
//! day goes from attributes to envelope directly ([`crate::pubsub`]); a test holds the two to the same result.

use std::collections::BTreeMap;

use cloudevents::AttributesReader;
use cloudevents::event::{Data, ExtensionValue, SpecVersion};
use cloudevents::message::{
    BinaryDeserializer, BinarySerializer, Encoding, Error, MessageAttributeValue, MessageDeserializer, Result,
    StructuredDeserializer, StructuredSerializer,
};

use crate::envelope::{Encoded, Envelope, EnvelopeError};
use crate::pubsub::Message;

/// Builds a Pub/Sub message from a CloudEvent, attribute by attribute.
#[derive(Debug, Default)]
pub struct MessageBuilder(Message);

impl MessageBuilder {
    fn set(mut self, name: &str, value: &MessageAttributeValue) -> Self {
        let name = if name == "datacontenttype" { "Content-Type".to_owned() } else { format!("ce-{name}") };
        self.0.attributes.insert(name, value.to_string());
        self
    }
}

impl BinarySerializer<Message> for MessageBuilder {
    fn set_spec_version(self, version: SpecVersion) -> Result<Self> {
        Ok(self.set("specversion", &MessageAttributeValue::String(version.to_string())))
    }

    fn set_attribute(self, name: &str, value: MessageAttributeValue) -> Result<Self> {
        Ok(self.set(name, &value))
    }

    fn set_extension(self, name: &str, value: MessageAttributeValue) -> Result<Self> {
        Ok(self.set(name, &value))
    }

    fn end_with_data(mut self, bytes: Vec<u8>) -> Result<Message> {
        self.0.data = bytes;
        Ok(self.0)
    }

    fn end(self) -> Result<Message> {
        Ok(self.0)
    }
}

impl BinaryDeserializer for Message {
    fn deserialize_binary<R: Sized, V: BinarySerializer<R>>(self, mut visitor: V) -> Result<R> {
        let version = self
            .attributes
            .get("ce-specversion")
            .ok_or_else(|| Error::Other { source: Box::new(EnvelopeError::Missing("specversion")) })?;
        visitor = visitor.set_spec_version(SpecVersion::try_from(version.as_str())?)?;
        for (name, value) in self.attributes {
            let value = MessageAttributeValue::String(value);
            match name.as_str() {
                "Content-Type" | "content-type" | "ce-datacontenttype" => {
                    visitor = visitor.set_attribute("datacontenttype", value)?
                }
                "ce-specversion" => {}
                "ce-id" | "ce-source" | "ce-type" | "ce-subject" | "ce-time" | "ce-dataschema" => {
                    visitor = visitor.set_attribute(&name[3..], value)?;
                }
                _ => {
                    if let Some(extension) = name.strip_prefix("ce-") {
                        visitor = visitor.set_extension(extension, value)?;
                    }
                }
            }
        }
        visitor.end_with_data(self.data)
    }
}

impl StructuredDeserializer for Message {
    fn deserialize_structured<R: Sized, V: StructuredSerializer<R>>(self, visitor: V) -> Result<R> {
        visitor.set_structured_event(self.data)
    }
}

impl MessageDeserializer for Message {
    fn encoding(&self) -> Encoding {
        let structured =
            self.attributes.get("Content-Type").is_some_and(|value| value.starts_with("application/cloudevents+json"));
        if structured { Encoding::STRUCTURED } else { Encoding::BINARY }
    }
}

/// The Pub/Sub message that carries a CloudEvent in binary mode.
///
/// # Errors
/// The SDK's error when an attribute cannot be written.
pub fn to_message(event: cloudevents::Event) -> Result<Message> {
    BinaryDeserializer::deserialize_binary(event, MessageBuilder::default())
}

/// The envelope of a CloudEvent, with the same checks as one from Pub/Sub.
///
/// # Errors
/// [`EnvelopeError`] naming what is missing or wrong.
pub fn to_envelope(event: &cloudevents::Event) -> std::result::Result<Envelope<Encoded>, EnvelopeError> {
    let mut attributes = BTreeMap::new();
    let mut set = |name: &str, value: String| attributes.insert(format!("ce-{name}"), value);
    // Extensions first: one that borrows the name of a context attribute loses to it.
    for (name, value) in event.iter_extensions() {
        let value = match value {
            ExtensionValue::String(text) => text.clone(),
            ExtensionValue::Boolean(flag) => flag.to_string(),
            ExtensionValue::Integer(number) => number.to_string(),
        };
        set(name, value);
    }
    set("specversion", event.specversion().to_string());
    set("id", event.id().to_owned());
    set("source", event.source().clone());
    set("type", event.ty().to_owned());
    let optional = [
        ("subject", event.subject().map(ToOwned::to_owned)),
        // RFC 3339 with as many digits below the second as there are, up to nine.
        ("time", event.time().map(|time| time.to_rfc3339())),
        ("datacontenttype", event.datacontenttype().map(ToOwned::to_owned)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            set(name, value);
        }
    }
    let data = match event.data() {
        None => Vec::new(),
        Some(Data::Binary(bytes)) => bytes.clone(),
        Some(Data::String(text)) => text.clone().into_bytes(),
        Some(Data::Json(value)) => value.to_string().into_bytes(),
    };
    Message { attributes, data }.try_into()
}
