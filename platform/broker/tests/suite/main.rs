//! The broker over real sockets, with a real disk.
#![allow(clippy::unwrap_used, reason = "tests stop on errors")]

mod admin;
mod bigquery;
mod durability;
mod harness;
mod keep_alive;
mod limits;
mod publish;
mod pull;
mod push;
mod push_failures;
mod push_identity;
mod push_tls;
mod push_unwrapped;
mod rest;
mod schema_topics;
mod schemas;
mod scripted;
mod seek;
mod services;
mod update;
