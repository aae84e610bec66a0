//! One suite that both engines pass. SQLite always; PostgreSQL when `BOUTIQUE_TEST_POSTGRES` is set.

#[macro_use]
mod scratch;

mod attempts;
mod groups;
mod inbox;
mod jobs;
mod migrations;
mod outbox;
mod postgres_only;
mod rows;
mod sqlite_only;
