//! Publish: checked, then durable, then answered.

use std::sync::Arc;

use bytes::Bytes;

use crate::core::Core;
use crate::error::Refusal;
use crate::limits::SCHEMA_INLINE_BYTES;
use crate::message::{self, Incoming, MessageView, incoming};
use crate::schema::{Allowed, Guard, SCHEMA_REVISION};

/// Publishes encoded messages and gives their ids, in order, once they are on disk.
pub(crate) async fn publish(core: &Core, topic: &str, messages: Vec<Bytes>) -> Result<Vec<String>, Refusal> {
    let topic: Arc<_> = core.topic(topic)?;
    let mut messages = incoming(messages)?;
    if let Some(guard) = topic.guard() {
        messages = held_to(&guard, messages).await?;
    }
    let count = messages.len() as u64;
    let first = core.publish(topic, messages).await?;
    Ok((first..first + count).map(|id| id.to_string()).collect())
}

/// Messages that follow the topic's schema, with the attributes that say which revision of it.
///
/// # Errors
/// The refusal of the first message that does not. Nothing of the request is published.
async fn held_to(guard: &Guard, messages: Vec<Incoming>) -> Result<Vec<Incoming>, Refusal> {
    let allowed = guard.allowed()?;
    let stamp = move |messages: Vec<Incoming>| messages.into_iter().map(|m| stamped(&allowed, m)).collect();
    if messages.iter().map(|m| m.payload.len()).sum::<usize>() <= SCHEMA_INLINE_BYTES {
        return stamp(messages);
    }
    let stamped = tokio::task::spawn_blocking(move || stamp(messages)).await;
    stamped.unwrap_or_else(|_| Err(Refusal::unavailable("the broker is stopping")))
}

fn stamped(allowed: &Allowed, message: Incoming) -> Result<Incoming, Refusal> {
    let revision = allowed.check(MessageView::of_stored(&message.payload).data)?;
    let attributes = [
        ("googclient_schemaencoding", allowed.encoding.name()),
        ("googclient_schemaname", &allowed.schema),
        (SCHEMA_REVISION, revision),
    ];
    Ok(Incoming { payload: message::with_attributes(&message.payload, &attributes), key: message.key })
}
