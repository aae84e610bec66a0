#![doc = include_str!("../README.md")]

pub mod config;
mod credit_notes;
mod crm;
pub mod decide;
mod doors;
mod invoices;
mod issue_invoice;
mod ledger;
mod migrations;
mod pay_refund;
mod price;
mod recognize_revenue;
mod record_return;
mod reverse_invoice;
mod service;
mod transactions;

pub use config::Config;
pub use migrations::MIGRATIONS;
pub use service::{NAME, consumer, doors, service};
