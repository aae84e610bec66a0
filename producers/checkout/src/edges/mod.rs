//! The systems of record behind checkout, one module an edge, each saying what its failure means for the order.

mod crm;
mod food;
mod fraud_engine;
mod guard;
mod ledger;

use std::collections::HashMap;

use events::{Ledger, ProductId};
use futures::future::join;
use runtime::{Deadline, Guard, Identity, Metrics, Problem};

pub(crate) use crm::{Crm, Customer};
pub(crate) use food::Food;
pub(crate) use fraud_engine::{FraudEngine, Transaction};
pub(crate) use ledger::{Hold, NoHold, StockLedger};

use crate::config::Config;
use crate::decide::{Offer, Owner, owner};
use crate::request::Wanted;

/// A required edge that cannot answer; its cause is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EdgeDown(pub &'static str);

impl From<EdgeDown> for Problem {
    fn from(EdgeDown(edge): EdgeDown) -> Self {
        Problem::unavailable("edge_unavailable", format!("{edge} cannot answer now, nothing is held, try again"))
    }
}

/// Every edge.
pub(crate) struct Edges {
    /// Customers.
    pub crm: Crm,
    /// Risk.
    pub fraud_engine: FraudEngine,
    food: Food,
    inventory: StockLedger,
    furniture: StockLedger,
}

impl Edges {
    pub(crate) fn new(config: &Config, identity: &Identity, metrics: &Metrics) -> Self {
        let required = |edge, url: &str| Guard::new(edge, url, config.required(), identity, metrics);
        let engine_url = &config.fraud_engine_url;
        let fraud_engine = Guard::new("fraud-engine", engine_url, config.optional(), identity, metrics);
        Self {
            crm: Crm(required("crm", &config.crm_url)),
            fraud_engine: FraudEngine(fraud_engine),
            food: Food(required("food", &config.food_url)),
            inventory: StockLedger(required("inventory", &config.inventory_url)),
            furniture: StockLedger(required("furniture", &config.furniture_url)),
        }
    }

    /// Who keeps a ledger.
    pub(crate) fn ledger(&self, ledger: Ledger) -> &StockLedger {
        match ledger {
            Ledger::Inventory => &self.inventory,
            Ledger::Furniture => &self.furniture,
        }
    }

    /// What the catalogues say about the wanted products; a product nobody has is absent.
    pub(crate) async fn offers(
        &self,
        wanted: &[Wanted],
        deadline: Deadline,
    ) -> Result<HashMap<ProductId, Offer>, EdgeDown> {
        let of = |owners: &'static [Owner]| {
            wanted.iter().map(|line| &line.product_id).filter(|id| owners.contains(&owner(id))).collect::<Vec<_>>()
        };
        let stocked = self.inventory.offers(of(&[Owner::Inventory, Owner::Food]), deadline);
        let freight = self.furniture.offers(of(&[Owner::Furniture]), deadline);
        let food = self.food.prices(of(&[Owner::Food]), deadline);
        let ((stocked, freight), food) = join(join(stocked, freight), food).await;
        let (mut offers, prices) = (stocked?, food?);
        offers.extend(freight?);
        // Food has its units in the inventory and its price on the menu: an item missing in either cannot be had.
        offers.retain(|id, _| owner(id) != Owner::Food || prices.contains_key(id));
        for (id, dish) in prices {
            if let Some(offer) = offers.get_mut(&id) {
                offer.unit_price = dish.unit_price;
                offer.available = if dish.available { offer.available } else { 0 };
            }
        }
        Ok(offers)
    }
}
