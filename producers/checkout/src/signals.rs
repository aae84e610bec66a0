//! What a client may tell of the circumstances of an order, for the fraud engine alone: it is kept nowhere else.
//!
//! The engine compares and never needs to read: devices and addresses go on as ids derived from them by a hash. Nobody reads them there; who
//! guesses one can check the guess, so a client does well to send what is opaque already.

use events::FieldError;
use events::id::derived;
use serde::Serialize;

/// The longest text that stands for a device or an address, in characters.
const MAX_CHARS: usize = 128;
/// Hours of a day.
const HOURS: u8 = 24;

/// As the engine is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Signals {
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_hour: Option<u8>,
}

impl Signals {
    /// Of what the client says.
    ///
    /// # Errors
    /// The field that is out of bounds.
    pub(crate) fn new(
        device_id: Option<&str>,
        address_hash: Option<&str>,
        local_hour: Option<u8>,
    ) -> Result<Self, FieldError> {
        if local_hour.is_some_and(|hour| hour >= HOURS) {
            return Err(FieldError::new("localHour", "must be 0 to 23"));
        }
        Ok(Self {
            device_id: stand_in(device_id, "deviceId", "device")?,
            address_hash: stand_in(address_hash, "addressHash", "address")?,
            local_hour,
        })
    }
}

/// The same for the same text.
fn stand_in(text: Option<&str>, field: &str, kind: &str) -> Result<Option<String>, FieldError> {
    let Some(text) = text else { return Ok(None) };
    if !(1..=MAX_CHARS).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(FieldError::new(field, format!("must be 1 to {MAX_CHARS} visible ASCII characters")));
    }
    Ok(Some(derived(kind, text).to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    #[test]
    fn devices_and_addresses_are_known_again_and_not_read() {
        let signals = |device, address| Signals::new(device, address, Some(23)).unwrap();
        let one = signals(Some("one"), Some("one"));
        assert_eq!(signals(Some("one"), Some("one")), one);
        assert_ne!(one.device_id, one.address_hash, "a device is no address");
        assert_ne!(signals(Some("two"), None).device_id, one.device_id);
        assert!(!to_value(&one).unwrap().to_string().contains("\"one"));
        assert_eq!(to_value(Signals::default()).unwrap(), json!({}));
    }

    #[test]
    fn what_is_out_of_bounds_is_named() {
        let long = "x".repeat(MAX_CHARS + 1);
        let field = |device, address, hour| Signals::new(device, address, hour).unwrap_err().path;
        for text in ["", "a b", "Stra\u{df}e", &long] {
            assert_eq!(field(Some(text), None, None), "deviceId", "{text}");
            assert_eq!(field(None, Some(text), None), "addressHash", "{text}");
        }
        assert_eq!(field(None, None, Some(24)), "localHour");
    }
}
