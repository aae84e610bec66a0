#![doc = include_str!("../README.md")]

pub mod attempts;
pub mod inbox;
pub mod outbox;

mod database;
mod engines;
mod error;
mod held;
mod job;
mod limits;
mod migrations;
mod param;
#[cfg(debug_assertions)]
#[doc(hidden)]
pub mod planted;
mod queue;
mod row;
mod store;
mod tx;

pub use database::Database;
pub use error::StoreError;
pub use held::{Fate, Gate, Held, HeldDatabase, OpenGate};
pub use limits::Limits;
pub use migrations::{Migration, Preparation};
pub use param::Param;
pub use row::{Cell, Column, Row};
pub use store::Store;
pub use tx::Tx;
