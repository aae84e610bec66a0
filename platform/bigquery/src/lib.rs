#![doc = include_str!("../README.md")]

mod clock;
mod endpoint;
mod insert;
mod known;
mod trouble;

pub use endpoint::{BigQuery, OpenError};
