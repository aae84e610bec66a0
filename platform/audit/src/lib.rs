#![doc = include_str!("../README.md")]

pub mod audience;
mod evidence;
mod invariant;
mod ledger;
mod messages;
mod once;
mod orders;
mod report;
mod rows;
mod shipping;
mod stock;

pub use evidence::{Book, KEPT_DAYS, Notes, ReadError};
pub use invariant::Invariant;
pub use orders::has_ended;
pub use report::{OpenOrder, Report, audit};
