//! What a shop is filled with, and what is ordered: drawn from a seed.
//!
//! Most orders go through. A few meet each way an order can end otherwise: too little stock, a customer who cannot be billed, goods sent
//! abroad, freight beside parcels.

use bytes::Bytes;
use fastrand::Rng;
use runtime::{CallError, Peer};
use serde_json::{Value, json};

/// Products with as many units as anybody may want.
const PLENTY: u32 = 30;
/// Products that several clients want the last unit of.
const SCARCE: u32 = 4;
/// Units of each scarce product. Their end comes while the shop is being hurt.
const SCARCE_UNITS: u32 = 40;
/// Units of all others.
const PLENTY_UNITS: u32 = 100_000_000;
/// Customers; every `UNBILLABLE`th cannot be billed, so that their orders are cancelled and refunded.
const CUSTOMERS: u32 = 400;
const UNBILLABLE: u32 = 25;
/// Lines of an order from parcels' stock, at most.
const MOST_LINES: u32 = 3;
/// Units of a line, at most.
const MOST_UNITS: u32 = 3;
/// One order in so many has freight in it.
const FREIGHT: u32 = 8;
/// One order in so many wants a scarce product.
const WANTS_SCARCE: u32 = 10;
/// One order in so many is sent to another country than it is billed to, which the fraud engine scores HIGH.
const ABROAD: u32 = 60;

/// Gives the shop its products and customers.
///
/// # Errors
/// When one of the three cannot be reached or refuses.
pub async fn fill(inventory: &Peer, furniture: &Peer, crm: &Peer) -> Result<(), CallError> {
    let product = |id: String, units: u32| {
        json!({ "productId": id, "name": id, "category": "force", "stockLevel": units, "location": "A-01-01",
                "unitPrice": { "currencyCode": "USD", "units": 9, "nanos": 500_000_000 } })
    };
    let plenty = (0..PLENTY).map(|n| product(plenty(n), PLENTY_UNITS));
    let products: Vec<Value> = plenty.chain((0..SCARCE).map(|n| product(scarce(n), SCARCE_UNITS))).collect();
    let _: Value = inventory.put("/inventory", &products).await?;
    let desk = json!({ "name": "Oak Desk", "category": "Office", "price": 29.99, "stockLevel": PLENTY_UNITS });
    let _: Value = furniture.put("/furniture/1", &desk).await?;
    let customers: Vec<Value> = (0..CUSTOMERS)
        .map(|n| {
            let billing = if n % UNBILLABLE == 0 { "none" } else { "active" };
            json!({ "customerId": customer(n), "name": "Ada", "surname": "Archer", "country": "US",
                    "loyaltyTier": "standard", "standing": "good", "billingAccount": billing })
        })
        .collect();
    let _: Value = crm.post("/customers/import", &customers).await?;
    Ok(())
}

/// The body of an order.
pub fn order(dice: &mut Rng) -> Bytes {
    let first = dice.u32(..PLENTY);
    let mut lines: Vec<Value> = (0..dice.u32(1..=MOST_LINES))
        .map(|line| json!({ "productId": plenty((first + line) % PLENTY), "quantity": dice.u32(1..=MOST_UNITS) }))
        .collect();
    if dice.u32(..FREIGHT) == 0 {
        lines.push(json!({ "productId": "FURN-1", "quantity": 1 }));
    }
    if dice.u32(..WANTS_SCARCE) == 0 {
        lines.push(json!({ "productId": scarce(dice.u32(..SCARCE)), "quantity": 1 }));
    }
    let country = if dice.u32(..ABROAD) == 0 { "BR" } else { "US" };
    let customer = customer(dice.u32(..CUSTOMERS));
    let order = json!({ "customerId": customer, "lines": lines, "currencyCode": "USD", "shippingCountry": country });
    order.to_string().into()
}

fn plenty(n: u32) -> String {
    format!("FORCE-{n:02}")
}

fn scarce(n: u32) -> String {
    format!("SCARCE-{n}")
}

fn customer(n: u32) -> String {
    format!("FORCE-{n:03}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_follow_from_their_seed_and_every_kind_is_among_them() {
        let draw = |seed| {
            let mut dice = Rng::with_seed(seed);
            (0..500).map(|_| String::from_utf8(order(&mut dice).to_vec()).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let there = |kind: &str| draw(7).iter().any(|order| order.contains(kind));
        for kind in ["FURN-1", "SCARCE-", "\"BR\"", "FORCE-29"] {
            assert!(there(kind), "{kind}");
        }
        assert!((0..CUSTOMERS).step_by(UNBILLABLE as usize).any(|n| there(&customer(n))), "nobody is unbillable");
    }
}
