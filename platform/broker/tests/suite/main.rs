//! The broker over real sockets, with a real disk.

mod admin;
mod durability;
mod harness;
mod limits;
mod publish;
mod pull;
mod push;
