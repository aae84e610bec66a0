//! The customers, products and orders of the load: invented, and the same for the same seed.

use std::fmt::Write;
use std::sync::Arc;

use anyhow::{Context, bail};
use bytes::Bytes;
use events::Money;
use http::Method;
use runtime::Peer;
use serde_json::{Value, json};

use super::load::{Bodies, quote};

/// Customers the orders are spread over: enough that none orders as often as a fraudster.
const CUSTOMERS: u64 = 2_000;
/// Products the orders are spread over.
const PRODUCTS: u64 = 500;
/// Units of each product: no order may fail for stock.
const STOCK: u64 = 100_000_000;
/// The most lines of one order.
const MAX_LINES: u64 = 5;
/// The most units of one line.
const MAX_QUANTITY: u64 = 3;
/// The dearest product costs this much, in cents: a full order stays below what the fraud rules look at.
const MAX_PRICE_MINOR: u64 = 2_000;
/// Rows of one bulk request.
const BULK: usize = 500;

/// Makes customers and products known to the shop. Doing it again changes nothing.
///
/// # Errors
/// When the CRM or the inventory refuses.
pub async fn fill(crm: &Peer, inventory: &Peer) -> anyhow::Result<()> {
    let customers: Vec<Value> = (0..CUSTOMERS).map(customer).collect();
    for some in customers.chunks(BULK) {
        bulk(crm, Method::POST, "/customers/import", some).await?;
    }
    let products: Vec<Value> = (0..PRODUCTS).map(product).collect();
    for some in products.chunks(BULK) {
        bulk(inventory, Method::PUT, "/inventory", some).await?;
    }
    Ok(())
}

async fn bulk(peer: &Peer, method: Method, path: &str, rows: &[Value]) -> anyhow::Result<()> {
    let body = Bytes::from(serde_json::to_vec(rows)?);
    let (status, answer) = peer.raw(method.clone(), path, body).await.context("cannot fill the shop")?;
    if !status.is_success() {
        bail!("cannot fill the shop: {method} {path} of {} answered {status}: {}", peer.name(), quote(&answer));
    }
    Ok(())
}

fn customer(n: u64) -> Value {
    json!({ "customerId": format!("bench-{n:05}"), "name": "Bench", "surname": format!("No {n}"), "country": "US",
            "loyaltyTier": "standard", "billingAccount": "active" })
}

fn product(n: u64) -> Value {
    let price_minor = i64::try_from(100 + n * 37 % (MAX_PRICE_MINOR - 100)).unwrap_or(100);
    json!({ "productId": format!("BENCH-{n:04}"), "name": format!("Bench product {n}"), "category": "bench",
            "unitPrice": Money::from_minor(price_minor), "stockLevel": STOCK, "location": "BENCH-1" })
}

/// The orders of a seed: number `n` is always the same order, whoever sends it and when.
#[must_use]
pub fn bodies(seed: u64) -> Bodies {
    Arc::new(move |n| Bytes::from(order(seed, n)))
}

fn order(seed: u64, n: u64) -> String {
    let mut dice = Dice(seed.wrapping_add(n.wrapping_mul(0xA076_1D64_78BD_642F)));
    let lines = 1 + dice.below(MAX_LINES);
    // A stride coprime to the number of products: no product comes twice in an order.
    let first = dice.below(PRODUCTS);
    let mut body = String::with_capacity(96 + 48 * 5);
    let _infallible = write!(body, r#"{{"customerId":"bench-{:05}","lines":["#, dice.below(CUSTOMERS));
    for line in 0..lines {
        let product = (first + line * 101) % PRODUCTS;
        let comma = if line == 0 { "" } else { "," };
        let quantity = 1 + dice.below(MAX_QUANTITY);
        let _infallible = write!(body, r#"{comma}{{"productId":"BENCH-{product:04}","quantity":{quantity}}}"#);
    }
    body.push_str(r#"],"currencyCode":"USD","shippingCountry":"US"}"#);
    body
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, and good enough to spread orders.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_order_is_the_same_for_its_seed_and_number() {
        assert_eq!(order(1, 7), order(1, 7));
        assert_ne!(order(1, 7), order(1, 8));
        assert_ne!(order(1, 7), order(2, 7));
    }

    #[test]
    fn orders_have_one_to_five_lines_of_different_products_that_exist() {
        let known: HashSet<String> = (0..PRODUCTS).map(|n| product(n)["productId"].to_string()).collect();
        let mut lengths = HashSet::new();
        for n in 0..2_000 {
            let order: Value = serde_json::from_str(&order(1, n)).unwrap();
            let lines = order["lines"].as_array().unwrap();
            let products: HashSet<String> = lines.iter().map(|line| line["productId"].to_string()).collect();
            assert_eq!(products.len(), lines.len());
            assert!(products.is_subset(&known));
            lengths.insert(lines.len());
        }
        assert_eq!(lengths, HashSet::from([1, 2, 3, 4, 5]));
    }

    #[test]
    fn no_order_is_dear_enough_to_look_like_fraud() {
        let dearest = MAX_PRICE_MINOR * MAX_QUANTITY * MAX_LINES;
        assert!(dearest < 50_000, "the engine adds points from 500.00 USD on");
    }
}
