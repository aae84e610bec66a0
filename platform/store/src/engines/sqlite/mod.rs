//! SQLite: one writer thread that commits in groups, and a few read-only connections.

mod connection;
mod engine;
mod failure;
mod memory;
mod readers;
mod statement;
mod writer;

pub(crate) use engine::Engine;
pub(crate) use memory::Memory;
pub(crate) use statement::{Session, batch, cell, each, each_dynamic, execute, insert};

/// What the tokens of a [`Migration`](crate::Migration) mean here.
pub(crate) const TOKENS: &[(&str, &str)] =
    &[("{serial_key}", "INTEGER PRIMARY KEY AUTOINCREMENT"), ("{row_key}", "INTEGER PRIMARY KEY")];
