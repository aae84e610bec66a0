//! Where goods lie: asked of the ledgers that keep them, outside any transaction, and remembered for a while: a shelf is moved
//! once a season, and a shipment picked at the old one is found by the sign that was left there.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use events::{Ledger, OrderLine, ProductId};
use runtime::{CallError, Identity, Peer, clock};
use serde::Deserialize;

use crate::config::Config;
use crate::decide::Locations;

/// How long a location is remembered, in milliseconds.
const REMEMBERED_MS: i64 = 30_000;
/// Locations remembered per ledger; at one more all are forgotten.
const MOST_REMEMBERED: usize = 20_000;

/// The services that keep the ledgers.
#[derive(Clone)]
pub(crate) struct Ledgers {
    inventory: Keeper,
    furniture: Keeper,
}

/// One ledger's service, and what it said lately.
#[derive(Clone)]
struct Keeper {
    peer: Peer,
    remembered: Arc<Mutex<HashMap<ProductId, Remembered>>>,
}

struct Remembered {
    location: String,
    until_ms: i64,
}

/// The answer to `GET /inventory?ids=`, as far as it is needed here.
#[derive(Deserialize)]
struct Listing {
    data: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    product_id: ProductId,
    #[serde(default)]
    location: Option<String>,
}

impl Ledgers {
    /// The ledgers, called as `identity`.
    pub(crate) fn new(config: &Config, identity: &Identity) -> Self {
        let peer = |name, url: &str| identity.peer(name, url, config.peer_timeout);
        let keeper = |name, url: &str| Keeper { peer: peer(name, url), remembered: Arc::default() };
        Self {
            inventory: keeper("inventory", &config.inventory_url),
            furniture: keeper("furniture", &config.furniture_url),
        }
    }

    /// Where the lines' products lie, both ledgers asked at once. A product nobody knows is not in the answer.
    ///
    /// # Errors
    /// [`CallError`] of the first ledger that did not answer.
    pub(crate) async fn locate(&self, lines: &[OrderLine]) -> Result<Locations, CallError> {
        let (mut found, freight) = tokio::try_join!(
            self.inventory.locate(lines, Ledger::Inventory),
            self.furniture.locate(lines, Ledger::Furniture),
        )?;
        found.extend(freight);
        Ok(found)
    }
}

impl Keeper {
    async fn locate(&self, lines: &[OrderLine], ledger: Ledger) -> Result<Locations, CallError> {
        let of_ledger = lines.iter().filter(|line| line.ledger == ledger);
        let ids: BTreeSet<&ProductId> = of_ledger.map(|line| &line.product_id).collect();
        let now_ms = clock::now_ms();
        let mut found = self.recall(&ids, now_ms);
        let unknown: Vec<&str> = ids.iter().filter(|id| !found.contains_key(**id)).map(|id| id.as_str()).collect();
        if unknown.is_empty() {
            return Ok(found);
        }
        // An id has only characters that need no escape in a query.
        let Listing { data } = self.peer.get(&format!("/inventory?ids={}", unknown.join(","))).await?;
        let told: Vec<(ProductId, String)> = data
            .into_iter()
            .filter_map(|Item { product_id, location }| {
                Some((product_id, location.filter(|place| !place.trim().is_empty())?))
            })
            .collect();
        self.remember(&told, now_ms);
        found.extend(told);
        Ok(found)
    }

    fn recall(&self, ids: &BTreeSet<&ProductId>, now_ms: i64) -> Locations {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |id: &&ProductId| {
            let Remembered { location, until_ms } = remembered.get(*id)?;
            (*until_ms > now_ms).then(|| ((*id).clone(), location.clone()))
        };
        ids.iter().filter_map(known).collect()
    }

    fn remember(&self, told: &[(ProductId, String)], now_ms: i64) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() + told.len() > MOST_REMEMBERED {
            remembered.clear();
        }
        for (product_id, location) in told {
            let until_ms = now_ms + REMEMBERED_MS;
            remembered.insert(product_id.clone(), Remembered { location: location.clone(), until_ms });
        }
    }
}
