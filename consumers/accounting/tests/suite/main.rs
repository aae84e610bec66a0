//! Accounting as its neighbours see it.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

mod append_only;
mod doors;
mod invoices;
mod postgres;
mod refunds;
mod revenue;
mod states;
mod world;
