#![doc = include_str!("../README.md")]

mod actors;
mod chance;
mod deliveries;
mod door;
mod gate;
mod hooks;
mod house;
mod life;
mod line;
mod memory;
mod network;
#[cfg(any(test, feature = "planted"))]
pub mod planted;
mod rest;
mod run;
mod scenario;
mod stage;
mod sweep;
mod tally;
mod time;
mod topics;
mod trace;
mod verdict;
mod weather;
mod world;

pub use life::Place;
pub use run::Outcome;
pub use stage::Stage;
pub use sweep::{Totals, sweep};
pub use tally::Tally;
