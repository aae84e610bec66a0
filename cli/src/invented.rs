//! What the baskets do not hold and the demo needs: customers, stock, who cannot be billed, what is shipped abroad.
//!
//! Invented from a seed: the same seed and files give the same shop. The shares are small, so that most orders go through and every way to fail is seen.

use std::collections::BTreeMap;

use events::{CustomerId, ProductId};
use serde_json::{Value, json};

use crate::catalogue::{Basket, Product};

/// Customers in a thousand without a billing profile: their orders are cancelled when the invoice fails.
const UNBILLABLE: u64 = 15;
/// Customers in a thousand with a closed account: likewise.
const CLOSED: u64 = 10;
/// Customers in a thousand suspended by the CRM: checkout refuses them.
const SUSPENDED: u64 = 5;
/// Products in a thousand with too little stock: some orders are refused for it.
const SCARCE: u64 = 8;
/// Orders in a thousand shipped to another country than they are billed to: the fraud engine scores them HIGH.
const ABROAD: u64 = 15;
/// Units beyond demand for products that are not scarce.
const SPARE_UNITS: u64 = 5;

const FIRST_NAMES: [&str; 12] =
    ["Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gia", "Hugo", "Ida", "Jon", "Kaya", "Leo"];
const LAST_NAMES: [&str; 12] =
    ["Archer", "Brook", "Carter", "Dale", "Ember", "Field", "Grove", "Hill", "Iris", "Jordan", "Knight", "Lake"];

/// The inventor.
#[derive(Debug, Clone, Copy)]
pub struct Inventor {
    /// The same seed invents the same.
    pub seed: u64,
}

impl Inventor {
    /// The customers of these baskets, as the CRM imports them.
    ///
    /// # Errors
    /// When a household's id is too long.
    pub fn customers(self, baskets: &[Basket]) -> anyhow::Result<Vec<Value>> {
        let mut ids: Vec<CustomerId> = baskets.iter().map(Basket::customer).collect::<Result<_, _>>()?;
        ids.sort_unstable();
        ids.dedup();
        Ok(ids.iter().map(|id| self.customer(id)).collect())
    }

    fn customer(self, id: &CustomerId) -> Value {
        let pick = |names: [&'static str; 12], what| names[(self.draw(what, id.as_str()) % 12) as usize];
        let lot = self.draw("billing", id.as_str()) % 1_000;
        let billing = match lot {
            _ if lot < UNBILLABLE => "none",
            _ if lot < UNBILLABLE + CLOSED => "closed",
            _ => "active",
        };
        let tier = match self.draw("tier", id.as_str()) % 10 {
            0 => "gold",
            1 | 2 => "silver",
            _ => "standard",
        };
        let standing = if self.chance("standing", id.as_str(), SUSPENDED) { "suspended" } else { "good" };
        json!({ "customerId": id, "name": pick(FIRST_NAMES, "first"), "surname": pick(LAST_NAMES, "last"),
                "country": "US", "loyaltyTier": tier, "standing": standing, "billingAccount": billing })
    }

    /// The products with stock for these baskets, as the inventory imports them.
    pub fn stock(self, products: &[Product], baskets: &[Basket]) -> Vec<Value> {
        let mut demand: BTreeMap<&ProductId, u64> = BTreeMap::new();
        for line in baskets.iter().flat_map(|basket| &basket.lines) {
            *demand.entry(&line.product_id).or_default() += u64::from(line.quantity);
        }
        products
            .iter()
            .map(|product| {
                let wanted = demand.get(&product.product_id).copied().unwrap_or(0);
                let scarce = self.chance("scarce", product.product_id.as_str(), SCARCE);
                let level = if scarce { wanted / 2 } else { wanted + SPARE_UNITS };
                let shelf = self.draw("shelf", product.product_id.as_str()) % 400;
                json!({ "productId": product.product_id, "name": product.name, "category": product.category,
                        "unitPrice": events::Money::from_minor(product.unit_price_cents),
                        "stockLevel": level, "location": format!("A-{:02}-{:02}", shelf / 20, shelf % 20) })
            })
            .collect()
    }

    /// The basket as a checkout request.
    ///
    /// # Errors
    /// When the household's id is too long.
    pub fn order(self, basket: &Basket) -> anyhow::Result<Value> {
        let abroad = self.chance("abroad", basket.basket_id.as_str(), ABROAD);
        Ok(json!({ "customerId": basket.customer()?, "lines": basket.lines, "currencyCode": "USD",
                   "shippingCountry": if abroad { "BR" } else { "US" } }))
    }

    fn chance(self, what: &str, key: &str, in_a_thousand: u64) -> bool {
        self.draw(what, key) % 1_000 < in_a_thousand
    }

    /// A number that looks random and follows from seed, subject and key (FNV-1a, then the finalizer of SplitMix64).
    fn draw(self, what: &str, key: &str) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325 ^ self.seed;
        for byte in what.bytes().chain([0]).chain(key.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^ (hash >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_about_what_they_say_and_follow_from_the_seed() {
        let inventor = Inventor { seed: 7 };
        let count = |inventor: Inventor| (0..10_000).filter(|n| inventor.chance("some", &n.to_string(), 30)).count();
        assert!((200..400).contains(&count(inventor)), "{}", count(inventor));
        assert_eq!(count(inventor), count(Inventor { seed: 7 }));
        assert_ne!(inventor.draw("a", "b"), Inventor { seed: 8 }.draw("a", "b"));
    }
}
