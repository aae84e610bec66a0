//! The runtime seen from outside: deliveries, the push endpoint, the outbox, the server.

mod deliveries;
mod fixture;
mod outbox;
mod push;
mod server;
