//! The broker as a process: killed under load, and on a disk that is full.
#![allow(clippy::unwrap_used, reason = "tests stop on errors")]

mod disk_full;
mod kill;
mod process;
