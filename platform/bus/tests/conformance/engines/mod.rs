//! The engines that take the suite.

mod embedded;
mod endpoint;
mod simulated;
mod wire;
mod wire_forms;

pub(crate) use embedded::embedded;
pub(crate) use simulated::Simulated;
pub(crate) use wire::Wire;
