//! The body of a push, as the service writes it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::push::Push;

impl Push {
    /// The JSON body.
    pub fn envelope(&self) -> Value {
        let (message, time) = (&self.message, rfc3339(self.message.publish_ms, "Z"));
        let mut body = json!({
            "message": {
                "attributes": message.draft.attributes,
                "data": STANDARD.encode(&message.draft.data),
                "messageId": message.id.to_string(),
                "message_id": message.id.to_string(),
                "publishTime": time,
                "publish_time": time,
            },
            "subscription": self.subscription,
        });
        if !message.draft.ordering_key.is_empty() {
            body["message"]["orderingKey"] = message.draft.ordering_key.as_str().into();
        }
        if let Some(attempt) = self.attempt {
            body["deliveryAttempt"] = attempt.into();
        }
        body
    }
}

/// A time in RFC 3339 with milliseconds and this zone's suffix (`Z` or `+00:00`).
pub(super) fn rfc3339(epoch_ms: u64, zone: &str) -> String {
    let stamp = i64::try_from(epoch_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let mut text = format!("{:.3}", stamp.unwrap_or(Timestamp::MAX));
    text.pop();
    text + zone
}
