//! The tables: one module a table, SQL and nothing else.

pub(crate) mod audit;
pub(crate) mod edits;
pub(crate) mod groups;
pub(crate) mod items;
pub(crate) mod letters;
pub(crate) mod plans;
pub(crate) mod replays;
