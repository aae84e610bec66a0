//! One suite that both engines pass, and what a simulation holds. SQLite always; PostgreSQL when `BOUTIQUE_TEST_POSTGRES` is set.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

#[macro_use]
mod scratch;

mod attempts;
mod groups;
mod held_only;
mod inbox;
mod jobs;
mod migrations;
mod outbox;
mod postgres_only;
mod rows;
mod sqlite_only;
