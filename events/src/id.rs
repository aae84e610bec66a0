//! Ids as newtypes: no bare string id crosses a function.
//!
//! Every id is 1..=64 characters of `A-Z a-z 0-9 - _ .`, so it is safe in a path, a log line, a filter and a key.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::personal::Class;

/// The longest id accepted, in characters.
pub const MAX_ID_CHARS: usize = 64;

/// Why a text is not an id. Not tried again: the sender has to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is 1 to {MAX_ID_CHARS} characters of A-Z a-z 0-9 - _ .")]
pub struct InvalidId;

fn is_id(text: &str) -> bool {
    (1..=MAX_ID_CHARS).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $(: $class:ident)?),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// An id made from a UUID.
            #[must_use]
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid.to_string())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if is_id(text) { Ok(Self(text.to_owned())) } else { Err(InvalidId) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                if is_id(&text) { Ok(Self(text)) } else { Err(InvalidId) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$" $(, "x-personal": Class::$class.as_str())?
                })
            }
        }
    )*};
}

ids! {
    /// An order, minted by checkout; the partition key of everything said about it.
    OrderId,
    /// A customer of the CRM: as a client names them, or sealed. Facts bear sealed ones only.
    CustomerId: Sealed,
    /// A product of the inventory, furniture or food catalogue.
    ProductId,
    /// A hold on stock in one ledger.
    ReservationId,
    /// An invoice; one per order.
    InvoiceId,
    /// A shipment; each line of an order is in exactly one.
    ShipmentId,
    /// A return of some lines of an order.
    ReturnId,
    /// A refund; one per return or cancellation.
    RefundId,
    /// An event. UUID v7 at the source, v5 derived from (cause, reaction, position) for reactions.
    EventId,
}

impl EventId {
    /// The id of the `position`-th event that `reaction` says about the event `cause`: a second run says the same id.
    #[must_use]
    pub fn derived(cause: &EventId, reaction: &str, position: usize) -> Self {
        let name = format!("{cause}/{reaction}/{position}");
        Self(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string())
    }

    /// When the id was minted, in milliseconds since the Unix epoch; only ids that begin a story tell (UUID v7).
    #[must_use]
    pub fn minted_at_ms(&self) -> Option<i64> {
        let uuid = Uuid::parse_str(&self.0).ok().filter(|uuid| uuid.get_version_num() == 7)?;
        let (seconds, nanos) = uuid.get_timestamp()?.to_unix();
        i64::try_from(seconds * 1_000 + u64::from(nanos) / 1_000_000).ok()
    }
}

/// An id derived from other ids under a name: the same words give the same id, so a second run makes the same thing.
#[must_use]
pub fn derived(kind: &str, of: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{kind}/{of}").as_bytes())
}
