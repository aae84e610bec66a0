//! The runtime seen from outside: deliveries, the push endpoint, the outbox, the server.

#![allow(clippy::unwrap_used)]

mod balance;
mod deliveries;
mod doors;
mod fixture;
mod guard;
mod metrics;
mod outbox;
mod push;
mod replay;
mod secure;
mod server;
mod upkeep;
