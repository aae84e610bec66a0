//! The two engines behind one [`Tx`](crate::Tx).

pub(crate) mod postgres;
pub(crate) mod sqlite;
