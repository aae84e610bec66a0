//! Publish: checked, then durable, then answered.

use std::sync::Arc;

use bytes::Bytes;

use crate::core::Core;
use crate::error::Refusal;
use crate::message::incoming;

/// Publishes encoded messages and gives their ids, in order, once they are on disk.
pub(crate) async fn publish(core: &Core, topic: &str, messages: Vec<Bytes>) -> Result<Vec<String>, Refusal> {
    let topic: Arc<_> = core.topic(topic)?;
    let messages = incoming(messages)?;
    let count = messages.len() as u64;
    let first = core.publish(topic, messages).await?;
    Ok((first..first + count).map(|id| id.to_string()).collect())
}
