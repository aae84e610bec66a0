//! The figures, one file each; figures 2 and 4 come out of the same batch of orders.

pub mod events;
pub mod latency;
pub mod memory;
pub mod orders;
pub mod start;
