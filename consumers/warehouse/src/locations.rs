//! Where goods lie: asked of the ledgers that keep them, outside any transaction.

use std::collections::BTreeSet;

use events::{Ledger, OrderLine, ProductId};
use runtime::{CallError, Peer};
use serde::Deserialize;

use crate::config::Config;
use crate::decide::Locations;

/// The services that keep the ledgers.
#[derive(Clone)]
pub(crate) struct Ledgers {
    inventory: Peer,
    furniture: Peer,
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
    pub(crate) fn new(config: &Config) -> Self {
        let peer = |name, url: &str| Peer::new(name, url, config.peer_timeout);
        Self {
            inventory: peer("inventory", &config.inventory_url),
            furniture: peer("furniture", &config.furniture_url),
        }
    }

    /// Where the lines' products lie, both ledgers asked at once. A product nobody knows is not in the answer.
    ///
    /// # Errors
    /// [`CallError`] of the first ledger that did not answer.
    pub(crate) async fn locate(&self, lines: &[OrderLine]) -> Result<Locations, CallError> {
        let (mut found, freight) = tokio::try_join!(
            locate(&self.inventory, lines, Ledger::Inventory),
            locate(&self.furniture, lines, Ledger::Furniture),
        )?;
        found.extend(freight);
        Ok(found)
    }
}

async fn locate(peer: &Peer, lines: &[OrderLine], ledger: Ledger) -> Result<Locations, CallError> {
    let of_ledger = lines.iter().filter(|line| line.ledger == ledger);
    let ids: BTreeSet<&str> = of_ledger.map(|line| line.product_id.as_str()).collect();
    if ids.is_empty() {
        return Ok(Locations::new());
    }
    // An id has only characters that need no escape in a query.
    let mut path = "/inventory?ids=".to_owned();
    for (index, id) in ids.iter().enumerate() {
        path.push_str(if index == 0 { "" } else { "," });
        path.push_str(id);
    }
    let Listing { data } = peer.get(&path).await?;
    let known = data.into_iter().filter_map(|Item { product_id, location }| {
        let location = location.filter(|place| !place.trim().is_empty())?;
        Some((product_id, location))
    });
    Ok(known.collect())
}
