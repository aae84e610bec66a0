//! The REST contracts: every endpoint of every service with the bodies, ids and sample data of its documentation, over real sockets and
//! with real tokens. One file a service.

mod accounting;
mod client;
mod crm;
mod description;
mod descriptions;
mod food;
mod fraud_engine;
mod furniture;
mod inventory;
mod warehouse;
