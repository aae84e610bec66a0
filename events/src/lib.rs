#![doc = include_str!("../README.md")]

pub mod asyncapi;
pub mod billing;
pub mod catalogue;
pub mod cloudevent;
pub mod envelope;
pub mod fact;
pub mod fulfillment;
pub mod generated;
pub mod id;
pub mod inventory;
pub mod line;
pub mod money;
pub mod order;
pub mod personal;
pub mod platform;
pub mod pubsub;
pub mod risk;
pub mod schema;
pub mod states;
pub mod topology;

pub use envelope::{Encoded, Envelope, EnvelopeError, Origin};
pub use fact::{Event, Fact, FieldError};
pub use id::{CustomerId, EventId, InvoiceId, OrderId, ProductId, RefundId, ReservationId, ReturnId, ShipmentId};
pub use jiff::Timestamp;
pub use line::{Ledger, OrderLine, StockLine};
pub use money::Money;
