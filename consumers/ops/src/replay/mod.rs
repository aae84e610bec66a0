//! Replays: a plan carried out, step by step, so that it can be killed between any two and goes on.
//!
//! Every step of the work ends in one transaction. A message is marked as published only after Pub/Sub has it; one that was published
//! and not marked is published again, and the consumer's inbox makes that harmless. What a message has come to is asked of the
//! consumer, never guessed.

mod control;
mod create;
mod decide;
mod publish;
mod run;
mod settle;

pub(crate) use control::{cancel, pause, resume};
pub(crate) use create::{Order, create};
pub use run::{Progress, Replays};

pub(crate) const RUNNING: &str = "running";
pub(crate) const PAUSED: &str = "paused";
pub(crate) const STOPPED: &str = "stopped";
pub(crate) const FINISHED: &str = "finished";
pub(crate) const CANCELLED: &str = "cancelled";
