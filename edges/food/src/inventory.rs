//! What the service asks and tells inventory.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use events::Timestamp;
use runtime::{CallError, Identity, Peer, Problem, clock};
use stock::contract::Page;
use stock::limits::MAX_IDS;
use store::{Store, StoreError};
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::Config;
use crate::contract::{Food, InventoryCheck, InventoryItem};
use crate::limits::SYNC_BATCH;
use crate::rows::{self, Untold};

/// The inventory service as this one sees it. Clones are the same.
#[derive(Clone)]
pub struct Inventory {
    peer: Peer,
    /// One at a time is told, so that an older row never comes after a newer one.
    telling: Arc<Mutex<()>>,
    /// How long one waits for its turn; after that it is told later.
    patience: Duration,
}

/// What came of telling inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// It knows.
    Known,
    /// It cannot be reached; it is told later.
    Later,
    /// It refused.
    Refused(Problem),
}

impl Inventory {
    /// Inventory at the configured address, called as who we are.
    #[must_use]
    pub fn new(config: &Config, identity: &Identity) -> Self {
        let timeout = Duration::from_millis(config.inventory_timeout_ms);
        let peer = identity.peer("inventory", &config.inventory_url, timeout);
        Self { peer, telling: Arc::default(), patience: timeout }
    }

    /// Asks for the units of a page of food.
    pub(crate) async fn check(&self, page: &[Food], at: Timestamp) -> InventoryCheck {
        let (checked, inventory_items) = match self.units(page).await {
            Ok(items) => (true, items),
            Err(error) => {
                warn!(%error, "inventory could not be asked");
                (false, Vec::new())
            }
        };
        InventoryCheck { checked, inventory_items, timestamp: at }
    }

    async fn units(&self, page: &[Food]) -> Result<Vec<InventoryItem>, CallError> {
        let mut items = Vec::with_capacity(page.len());
        // An empty page asks, too: the answer says whether inventory is there.
        let first = &page[..page.len().min(MAX_IDS)];
        for some in std::iter::once(first).chain(page[first.len()..].chunks(MAX_IDS)) {
            let ids: Vec<&str> = some.iter().map(|food| food.product_id.as_str()).collect();
            let answer: Page = self.peer.get(&format!("/inventory?ids={}", ids.join(","))).await?;
            items.extend(answer.data.into_iter().map(|item| InventoryItem {
                product_id: item.product_id,
                stock_level: item.stock_level,
                available: item.available,
            }));
        }
        Ok(items)
    }

    /// Tells inventory about one row, if it does not know, and takes the mark off.
    pub(crate) async fn tell(&self, store: &Store, id: i64) -> Result<Told, StoreError> {
        let Ok(_one_at_a_time) = tokio::time::timeout(self.patience, self.telling.lock()).await else {
            return Ok(Told::Later);
        };
        let Some(Untold { food, stock_level, revision }) = store.read(move |tx| rows::untold(tx, id)).await? else {
            return Ok(Told::Known);
        };
        let body = serde_json::to_vec(&[food.product(stock_level)]).expect("products have only strings and numbers");
        match self.peer.raw(Method::PUT, "/inventory", body.into()).await {
            Ok((status, _)) if status.is_success() => {
                store.write(clock::now_ms(), move |tx| rows::told(tx, id, revision)).await?;
                Ok(Told::Known)
            }
            Ok((status, _)) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                warn!(food.id = id, %status, "inventory could not be told");
                Ok(Told::Later)
            }
            Ok((status, answer)) => {
                let unclear = |_| Problem::new(status, "refused_by_inventory", "inventory gave no reason");
                let problem: Problem = serde_json::from_slice(&answer).unwrap_or_else(unclear);
                warn!(food.id = id, %problem, "inventory refused");
                store.write(clock::now_ms(), move |tx| rows::forget_stock_level(tx, id, revision)).await?;
                Ok(Told::Refused(problem))
            }
            Err(error) => {
                warn!(food.id = id, %error, "inventory could not be told");
                Ok(Told::Later)
            }
        }
    }

    /// Tells inventory what it could not be told before; stops when it still cannot be reached. Answers how many rows
    /// it knows of now.
    ///
    /// # Errors
    /// Of the database.
    pub async fn catch_up(&self, store: &Store) -> Result<usize, StoreError> {
        let mut known = 0;
        for id in store.read(|tx| rows::pending(tx, SYNC_BATCH)).await? {
            match self.tell(store, id).await? {
                Told::Known => known += 1,
                Told::Refused(_) => {}
                Told::Later => break,
            }
        }
        if known > 0 {
            info!(food.count = known, "inventory caught up");
        }
        Ok(known)
    }
}
