//! What clients remember of what they were told: the shop is held to it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::world::locked;

/// Everybody's memory.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    told: Mutex<Told>,
}

/// What was told.
#[derive(Debug, Default, Clone)]
pub(crate) struct Told {
    /// Orders answered 201.
    pub(crate) confirmed: Vec<String>,
    /// Orders whose client was told that they are cancelled.
    pub(crate) cancelled: Vec<String>,
    /// Returns that were granted, by order.
    pub(crate) returns: Vec<(String, String)>,
    /// Every answer that was final, by client: with one key there is one.
    pub(crate) by_client: BTreeMap<usize, Vec<String>>,
}

impl Memory {
    /// A client was told that their order is confirmed.
    pub(crate) fn confirmed(&self, order_id: &str) {
        let mut told = locked(&self.told);
        if !told.confirmed.iter().any(|other| other == order_id) {
            told.confirmed.push(order_id.to_owned());
        }
    }

    /// A client was told that their order is cancelled.
    pub(crate) fn cancelled(&self, order_id: &str) {
        locked(&self.told).cancelled.push(order_id.to_owned());
    }

    /// A client was told that goods of an order may be sent back.
    pub(crate) fn granted(&self, order_id: &str, return_id: &str) {
        let (mut told, granted) = (locked(&self.told), (order_id.to_owned(), return_id.to_owned()));
        if !told.returns.contains(&granted) {
            told.returns.push(granted);
        }
    }

    /// A client with an idempotency key got a final answer.
    pub(crate) fn answered(&self, client: usize, answer: String) {
        let mut told = locked(&self.told);
        let answers = told.by_client.entry(client).or_default();
        if !answers.contains(&answer) {
            answers.push(answer);
        }
    }

    /// All of it.
    pub(crate) fn told(&self) -> Told {
        locked(&self.told).clone()
    }
}
