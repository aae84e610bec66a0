//! The engines that take the suite.

mod embedded;
mod endpoint;
pub(crate) mod google;
mod simulated;
mod wire;
mod wire_forms;

pub(crate) use embedded::embedded;
pub(crate) use simulated::Simulated;
pub(crate) use wire::Wire;
