//! The figures, one file each: a turn of one side.

pub mod latency;
pub mod memory;
pub mod publish;
pub mod pull;
pub mod push;
