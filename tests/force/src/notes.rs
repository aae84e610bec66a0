//! What the clients were told, kept where nothing is cut off or killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use runtime::Peer;
use serde_json::Value;

/// The file that `boutique audit` reads, in the folder it is pointed to.
const ANSWERED: &str = "answered.jsonl";

/// The notes of all clients.
pub struct Notes {
    folder: PathBuf,
    page: Mutex<Page>,
}

struct Page {
    file: File,
    /// By key, answered 201.
    answered: BTreeMap<String, Order>,
    /// Asked for and not answered: nobody knows whether the shop has it.
    waiting: BTreeMap<String, Bytes>,
    /// Orders refused with a 4xx.
    refused: usize,
    /// Orders whose cancellation was answered.
    cancelled: BTreeSet<String>,
    /// Answers that are not those given before.
    changed: Vec<String>,
    /// Answers are no promises now.
    in_doubt: bool,
}

/// An order that was answered 201.
struct Order {
    order_id: String,
    body: Bytes,
}

impl Notes {
    /// An empty page; the list of orders answered 201 goes to `folder`, for the audit.
    ///
    /// # Panics
    /// When the list cannot be written there.
    pub fn open(folder: &Path) -> Notes {
        let file = OpenOptions::new().create(true).append(true).open(folder.join(ANSWERED)).expect("a list of answers");
        let (answered, waiting) = (BTreeMap::new(), BTreeMap::new());
        let page = Page {
            file,
            answered,
            waiting,
            refused: 0,
            cancelled: BTreeSet::new(),
            changed: Vec::new(),
            in_doubt: false,
        };
        Notes { folder: folder.to_owned(), page: Mutex::new(page) }
    }

    /// Where the list is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// From now on answers are no promises, as nobody could have heard them: what is asked for stays waiting. Or they are again.
    pub fn doubt(&self, in_doubt: bool) {
        self.page().in_doubt = in_doubt;
    }

    /// An order is about to be asked for under `key`.
    pub fn asks(&self, key: &str, body: &Bytes) {
        self.page().waiting.insert(key.to_owned(), body.clone());
    }

    /// The order of `key` was answered 201.
    ///
    /// # Panics
    /// When the list cannot be written.
    pub fn confirmed(&self, key: &str, order_id: &str) {
        let mut page = self.page();
        if page.in_doubt {
            return;
        }
        let body = page.waiting.remove(key).unwrap_or_default();
        match page.answered.get(key).map(|order| order.order_id.clone()) {
            Some(before) if before != order_id => {
                let changed = format!("key {key} was answered with order {before}, then with order {order_id}");
                page.changed.push(changed);
            }
            Some(_) => {}
            None => {
                let line = serde_json::json!({ "orderId": order_id, "basketId": key });
                writeln!(page.file, "{line}").expect("the list of answers is on a disk that works");
                page.answered.insert(key.to_owned(), Order { order_id: order_id.to_owned(), body });
            }
        }
    }

    /// The order of `key` was refused for good, with this status.
    pub fn refused(&self, key: &str, status: u16) {
        let mut page = self.page();
        if page.in_doubt {
            return;
        }
        page.waiting.remove(key);
        match page.answered.get(key).map(|order| order.order_id.clone()) {
            Some(before) => {
                let changed = format!("key {key} was answered with order {before}, then refused with {status}");
                page.changed.push(changed);
            }
            None => page.refused += 1,
        }
    }

    /// The client was told that the order is cancelled.
    pub fn cancelled(&self, order_id: &str) {
        let mut page = self.page();
        if !page.in_doubt {
            page.cancelled.insert(order_id.to_owned());
        }
    }

    /// Orders asked for and not answered, by key.
    pub fn waiting(&self) -> Vec<(String, Bytes)> {
        self.page().waiting.iter().map(|(key, body)| (key.clone(), body.clone())).collect()
    }

    /// Keys answered 201, with what was asked for under them.
    pub fn answered(&self) -> Vec<(String, Bytes)> {
        self.page().answered.iter().map(|(key, order)| (key.clone(), order.body.clone())).collect()
    }

    /// How many orders were answered 201.
    pub fn answered_count(&self) -> usize {
        self.page().answered.len()
    }

    /// How many were refused.
    pub fn refused_count(&self) -> usize {
        self.page().refused
    }

    /// Orders whose client was told that they are cancelled, and that are not, as the OMS has it.
    pub async fn cancelled_in_vain(&self, oms: &Peer) -> Vec<String> {
        let told = self.page().cancelled.clone();
        let mut found = Vec::new();
        for order_id in told {
            let order = oms.get::<Value>(&format!("/orders/{order_id}")).await;
            if !order.is_ok_and(|order| order["status"] == "cancelled") {
                found.push(format!("order {order_id} was answered cancelled and is not"));
            }
        }
        found
    }

    /// Answers that are not those given before. Empty in a shop that keeps its word.
    pub fn changed(&self) -> Vec<String> {
        self.page().changed.clone()
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().expect("nothing panics while it holds the notes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_doubt_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes::open(folder.path());
        notes.asks("a", &Bytes::new());
        notes.doubt(true);
        notes.confirmed("a", "1");
        notes.refused("a", 409);
        assert_eq!((notes.answered_count(), notes.refused_count(), notes.waiting().len()), (0, 0, 1));
        notes.doubt(false);
        notes.confirmed("a", "2");
        assert_eq!((notes.answered_count(), notes.waiting().len(), notes.changed().len()), (1, 0, 0));
    }

    #[test]
    fn an_answer_that_changes_is_noted_and_one_that_is_repeated_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes::open(folder.path());
        notes.asks("a", &Bytes::new());
        notes.asks("b", &Bytes::new());
        notes.confirmed("a", "1");
        notes.confirmed("a", "1");
        assert_eq!(notes.waiting().len(), 1);
        assert!(notes.changed().is_empty());

        notes.confirmed("a", "2");
        notes.refused("a", 409);
        notes.refused("b", 409);
        assert_eq!(notes.changed().len(), 2);
        assert_eq!((notes.answered_count(), notes.refused_count(), notes.waiting().len()), (1, 1, 0));
        let list = std::fs::read_to_string(folder.path().join(ANSWERED)).unwrap();
        assert_eq!(list.lines().count(), 1);
    }
}
