#![doc = include_str!("../README.md")]

mod admission;
mod catalog;
mod config;
mod describe;
mod door;
mod for_customers;
mod forward;
mod listing;
mod meters;
mod order;
mod owners;
mod peers;
mod placing;
mod remembered;
mod service;
mod streams;
mod timeline;

pub use admission::{Forwarding, Proxies, Rate, Scope};
pub use config::{Config, Issuer, Rates, Services};
pub use door::Gateway;
pub use service::{NAME, Running, start};
pub use streams::StreamLimits;
