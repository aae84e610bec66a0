//! One service's products.

use std::collections::HashMap;

use events::{Money, ProductId};
use serde::Deserialize;
use stock::decimal::Decimal;

use super::{MAX_LIMIT, Product};
use crate::peers::{Part, Peers};

/// What the ids of food start with.
const FOOD: &str = "FOOD-";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shelf {
    Inventory,
    Furniture,
    Food,
}

/// A page of one shelf.
pub(super) struct Products {
    /// Products on the whole shelf; `None` when this page does not tell.
    pub total: Option<u64>,
    /// What of it is shown.
    pub data: Vec<Product>,
    /// Rows of the service that this took, also those that are not shown.
    pub looked_at: usize,
    /// Where the page after this one begins.
    pub next: Option<String>,
}

impl Shelf {
    pub(super) const ALL: [Shelf; 3] = [Shelf::Inventory, Shelf::Furniture, Shelf::Food];

    pub(super) fn name(self) -> &'static str {
        match self {
            Shelf::Inventory => "inventory",
            Shelf::Furniture => "furniture",
            Shelf::Food => "food",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shelf| shelf.name() == name)
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }

    /// Products on the shelf. The menu does not tell its length: `None` for a menu longer than the longest page.
    pub(super) async fn count(self, peers: &Peers) -> Part<Option<u64>> {
        let limit = if self == Shelf::Food { MAX_LIMIT } else { 1 };
        match self.page(peers, limit, None).await {
            Part::Is(page) => Part::Is(page.total),
            Part::Unknown => Part::Unknown,
            Part::Down => Part::Down,
        }
    }

    pub(super) async fn page(self, peers: &Peers, limit: u32, after: Option<&ProductId>) -> Part<Products> {
        let after = after.map(|id| format!("&after={id}")).unwrap_or_default();
        match self {
            Shelf::Inventory => {
                ledger(peers.part(&peers.inventory, &format!("/inventory?limit={limit}{after}")).await, self)
            }
            Shelf::Furniture => {
                ledger(peers.part(&peers.furniture, &format!("/inventory?limit={limit}{after}")).await, self)
            }
            Shelf::Food => {
                let whole = after.is_empty();
                food(peers.part(&peers.food, &format!("/food?limit={limit}{after}")).await, whole)
            }
        }
    }
}

fn ledger(page: Part<stock::contract::Page>, shelf: Shelf) -> Part<Products> {
    let page = match page {
        Part::Is(page) => page,
        Part::Unknown => return Part::Unknown,
        Part::Down => return Part::Down,
    };
    let looked_at = page.data.len();
    let own = page.data.into_iter().filter(|item| !item.product_id.as_str().starts_with(FOOD));
    let data = own.map(|item| Product {
        place: item.product_id.to_string(),
        product_id: item.product_id,
        name: item.name,
        category: item.category,
        unit_price: item.unit_price,
        available: Some(item.available),
        source: shelf.name(),
    });
    let next = page.next.map(|id| id.to_string());
    Part::Is(Products { total: Some(page.total), data: data.collect(), looked_at, next })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Menu {
    food_items: Vec<Dish>,
    inventory_check: Check,
    total: Option<u64>,
    next: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Dish {
    id: u64,
    name: String,
    category: String,
    price: Decimal,
    available: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    checked: bool,
    inventory_items: Vec<Counted>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counted {
    product_id: ProductId,
    available: u32,
}

fn food(menu: Part<Menu>, whole: bool) -> Part<Products> {
    let Menu { food_items, inventory_check, total, next } = match menu {
        Part::Is(menu) => menu,
        Part::Unknown => return Part::Unknown,
        Part::Down => return Part::Down,
    };
    let counted: HashMap<ProductId, u32> =
        inventory_check.inventory_items.into_iter().map(|item| (item.product_id, item.available)).collect();
    let all_here = whole && next.is_none();
    let total = total.or(all_here.then_some(food_items.len() as u64));
    let dish = |Dish { id, name, category, price, available }: Dish| {
        let product_id: ProductId = format!("{FOOD}{id}").parse().ok()?;
        let units = counted.get(&product_id).copied().or(inventory_check.checked.then_some(0));
        let available = if available == Some(false) { Some(0) } else { units };
        let (unit_price, source) = (Money::from_minor(price.0), Shelf::Food.name());
        Some(Product { product_id, name, category, unit_price, available, source, place: id.to_string() })
    };
    let looked_at = food_items.len();
    let data = food_items.into_iter().filter_map(dish).collect();
    let next = next.map(|place| place.as_str().map_or_else(|| place.to_string(), ToOwned::to_owned));
    Part::Is(Products { total, data, looked_at, next })
}
