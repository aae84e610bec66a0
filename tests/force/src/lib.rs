#![doc = include_str!("../README.md")]

pub mod audit;
pub mod clients;
pub mod disk;
pub mod goods;
pub mod notes;
pub mod process;
