//! Ops beside a consumer that does as it is told, on a simulated Pub/Sub.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

mod crashes;
mod edits;
mod erasures;
mod letters;
mod lost;
mod plans;
mod replays;
mod world;
