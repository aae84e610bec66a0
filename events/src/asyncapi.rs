//! The table as an AsyncAPI 3.0 document (`schemas/asyncapi.json`).
//!
//! A topic is a channel, an event type a message on it; a service has one `send` operation per topic it speaks on and one
//! `receive` operation per push subscription. Payloads refer to the JSON Schema files beside the document.

use serde_json::{Map, Value, json};

use crate::catalogue::meaning;
use crate::envelope::SOURCE_PREFIX;
use crate::schema;
use crate::topology::{self, EVENTS, EventRow, SUBSCRIPTIONS, TYPE_PREFIX, Topic};

/// The AsyncAPI document.
#[must_use]
pub fn document() -> Value {
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Online Boutique order choreography",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Facts said about orders, as CloudEvents 1.0 in binary mode on Google Cloud Pub/Sub. \
                Delivery is at least once and in any order across topics; (ce-source, ce-id) is the key of deduplication.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "pubsub": {
                "host": "pubsub.googleapis.com",
                "protocol": "googlepubsub",
                "description": "Google Cloud Pub/Sub, or whatever speaks its protocol at the configured address.",
            },
        },
        "channels": channels(),
        "operations": operations(),
        "components": { "messages": messages(), "schemas": { "context": context() } },
    })
}

/// What a message is called in the document: the type without the prefix all of them share.
fn name(row: &EventRow) -> &'static str {
    row.event_type.strip_prefix(TYPE_PREFIX).unwrap_or(row.event_type)
}

fn on(topic: Topic) -> impl Iterator<Item = &'static EventRow> {
    EVENTS.iter().filter(move |row| row.topic == topic)
}

fn channels() -> Map<String, Value> {
    let channel = |topic: Topic| {
        let messages: Map<String, Value> = on(topic)
            .map(|row| (name(row).to_owned(), json!({ "$ref": format!("#/components/messages/{}", name(row)) })))
            .collect();
        json!({ "address": topic.name(), "description": "Ordered by order id (ce-partitionkey).", "messages": messages })
    };
    Topic::ALL.into_iter().map(|topic| (topic.name().to_owned(), channel(topic))).collect()
}

fn operations() -> Map<String, Value> {
    let mut operations = Map::new();
    for topic in Topic::ALL {
        let mut speakers: Vec<&str> = on(topic).flat_map(|row| row.said_by).copied().collect();
        speakers.sort_unstable();
        speakers.dedup();
        for service in speakers {
            let said = references(topic, |row| row.said_by.contains(&service));
            operations.insert(
                format!("{service}.send.{}", topic.name()),
                json!({ "action": "send", "channel": channel(topic), "messages": said,
                        "summary": format!("What {service} says on {}.", topic.name()) }),
            );
        }
    }
    for row in SUBSCRIPTIONS {
        let heard = references(row.topic, |event| event.heard_by.contains(&row.consumer));
        operations.insert(
            format!("{}.receive.{}", row.consumer, row.topic.name()),
            json!({ "action": "receive", "channel": channel(row.topic), "messages": heard,
                    "summary": format!("What {} reacts to on {}.", row.consumer, row.topic.name()),
                    "x-pubsub-subscription": { "name": row.name(), "filter": row.filter(),
                                               "deadLetterTopic": topology::dead_letters(row.consumer) } }),
        );
    }
    operations
}

fn channel(topic: Topic) -> Value {
    json!({ "$ref": format!("#/channels/{}", topic.name()) })
}

fn references(topic: Topic, wanted: impl Fn(&EventRow) -> bool) -> Vec<Value> {
    on(topic)
        .filter(|row| wanted(row))
        .map(|row| json!({ "$ref": format!("#/channels/{}/messages/{}", topic.name(), name(row)) }))
        .collect()
}

fn messages() -> Map<String, Value> {
    let message = |row: &EventRow| {
        let sources: Vec<String> = row.said_by.iter().map(|service| format!("{SOURCE_PREFIX}{service}")).collect();
        json!({
            "name": row.event_type,
            "title": name(row),
            "summary": meaning(&(row.schema)()),
            "contentType": "application/json",
            "correlationId": { "location": "$message.header#/ce-correlationid" },
            "headers": {
                "allOf": [
                    { "$ref": "#/components/schemas/context" },
                    { "properties": {
                        "ce-type": { "const": row.event_type },
                        "ce-source": { "enum": sources },
                        "ce-dataschema": { "const": schema::uri(row.event_type) },
                    } },
                ],
            },
            "payload": { "$ref": schema::file_name(row.event_type) },
        })
    };
    EVENTS.iter().map(|row| (name(row).to_owned(), message(row))).collect()
}

/// The attributes of every message, as a schema.
fn context() -> Value {
    let text = |description: &str| json!({ "type": "string", "minLength": 1, "description": description });
    let id = |description: &str| json!({ "type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$", "description": description });
    json!({
        "type": "object",
        "required": ["Content-Type", "ce-specversion", "ce-id", "ce-source", "ce-type", "ce-subject", "ce-time",
                     "ce-dataschema", "ce-partitionkey", "ce-correlationid"],
        "properties": {
            "Content-Type": { "const": "application/json", "description": "Of the payload." },
            "ce-specversion": { "const": "1.0", "description": "CloudEvents version." },
            "ce-id": id("Minted once; never changed by retry or replay."),
            "ce-source": text("Who said it, //onlineboutique.com/<service>."),
            "ce-type": text("com.onlineboutique.<subject>.<fact>.v<major>."),
            "ce-subject": text("What it is about, orders/{orderId}."),
            "ce-time": { "type": "string", "format": "date-time", "description": "When it happened, UTC." },
            "ce-dataschema": { "type": "string", "format": "uri", "description": "The schema of the payload." },
            "ce-partitionkey": text("The order id; also the Pub/Sub ordering key."),
            "ce-correlationid": id("The event that began the story."),
            "ce-causationid": id("The event this one answers; absent for the first."),
            "ce-traceparent": text("W3C trace context of the trace that made the event."),
            "ce-replayid": text("The replay that sent it again."),
            "ce-replaytarget": text("The one consumer a replay is meant for."),
            "ce-ledger": { "enum": ["inventory", "furniture"], "description": "Stock ledger, where subscriptions filter by it." },
            "ce-risk": { "enum": ["LOW", "MEDIUM", "HIGH", "UNKNOWN"], "description": "Fraud risk at checkout, of a confirmed order." },
        },
    })
}
