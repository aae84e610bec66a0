#![doc = include_str!("../README.md")]

mod shop;

pub use shop::{Shop, eventually};
