//! The gateway between stand-ins of its services: who comes in, what it passes on, merges and keeps to itself.
#![allow(clippy::unwrap_used, reason = "a stand-in that is not asked what it expects ends the test")]

mod catalog;
mod hands;
mod log;
mod metrics;
mod owners;
mod rates;
mod routes;
mod streams;
mod tokens;
mod world;
