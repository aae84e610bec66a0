//! The broker as a process: killed under load, and on a disk that is full.

mod disk_full;
mod kill;
mod process;
