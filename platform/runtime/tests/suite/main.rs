//! The runtime seen from outside: deliveries, the push endpoint, the outbox, the server.

#![allow(clippy::unwrap_used)]

mod deliveries;
mod fixture;
mod guard;
mod metrics;
mod outbox;
mod push;
mod replay;
mod server;
mod upkeep;
