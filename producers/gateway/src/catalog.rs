//! `GET /v1/catalog`: everything that is for sale, from three services, page by page.
//!
//! Products come shelf by shelf: inventory, furniture, food. A page's `next` names the shelf and the place on it. Food has its units
//! in the inventory's ledger; it is shown once, with the price of its menu.

use std::collections::{BTreeMap, HashMap};

use events::{FieldError, Money, ProductId};
use futures::future::join_all;
use runtime::Problem;
use serde::{Deserialize, Serialize};
use stock::decimal::Decimal;

use crate::peers::{Part, Peers};

/// Products in a page unless the client says otherwise.
const DEFAULT_LIMIT: u32 = 100;
/// The most products in a page.
const MAX_LIMIT: u32 = 500;
/// What the ids of food start with.
const FOOD: &str = "FOOD-";

/// The query.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Paging {
    limit: Option<String>,
    after: Option<String>,
}

/// A page of products.
#[derive(Debug, Serialize)]
pub(crate) struct Catalog {
    /// Products on each shelf; a shelf that cannot be counted is absent. Food is counted in its own and in the inventory's ledger.
    totals: BTreeMap<&'static str, u64>,
    data: Vec<Product>,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Services whose products are not here because they did not answer.
    missing: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Product {
    product_id: ProductId,
    name: String,
    category: String,
    unit_price: Money,
    /// Units for sale; `null` when the ledger could not be asked.
    available: Option<u32>,
    source: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shelf {
    Inventory,
    Furniture,
    Food,
}

/// A page of one shelf.
struct Products {
    /// Products on the whole shelf; `None` when this page does not tell.
    total: Option<u64>,
    data: Vec<Product>,
    next: Option<String>,
}

/// Reads one page.
///
/// # Errors
/// 400 for a query that is none.
pub(crate) async fn catalog(peers: &Peers, paging: Paging) -> Result<Catalog, Problem> {
    let limit = read_limit(paging.limit.as_deref())?;
    let (first, mut after) = read_after(paging.after.as_deref())?;
    let mut catalog = Catalog { totals: BTreeMap::new(), data: Vec::new(), next: None, missing: Vec::new() };
    let mut open = limit;
    let mut uncounted: Vec<Shelf> = Shelf::ALL.into_iter().filter(|shelf| shelf.index() < first.index()).collect();
    for shelf in Shelf::ALL.into_iter().skip(first.index()) {
        if catalog.next.is_some() || open == 0 {
            catalog.next.get_or_insert_with(|| format!("{}:", shelf.name()));
            uncounted.push(shelf);
            continue;
        }
        let Part::Is(page) = shelf.page(peers, open, after.take()).await else {
            catalog.missing.push(shelf.name());
            continue;
        };
        match page.total {
            Some(total) => drop(catalog.totals.insert(shelf.name(), total)),
            None => uncounted.push(shelf),
        }
        open = open.saturating_sub(u32::try_from(page.data.len()).unwrap_or(open));
        catalog.data.extend(page.data);
        catalog.next = page.next.map(|place| format!("{}:{place}", shelf.name()));
    }
    let counts = uncounted.into_iter().map(|shelf| async move { (shelf.name(), shelf.count(peers).await) });
    for (name, count) in join_all(counts).await {
        match count {
            Part::Is(Some(total)) => drop(catalog.totals.insert(name, total)),
            Part::Is(None) => {}
            Part::Unknown | Part::Down => catalog.missing.push(name),
        }
    }
    Ok(catalog)
}

impl Shelf {
    const ALL: [Shelf; 3] = [Shelf::Inventory, Shelf::Furniture, Shelf::Food];

    fn name(self) -> &'static str {
        match self {
            Shelf::Inventory => "inventory",
            Shelf::Furniture => "furniture",
            Shelf::Food => "food",
        }
    }

    fn index(self) -> usize {
        self as usize
    }

    /// Products on the shelf. The menu does not tell its length: `None` for a menu longer than the longest page.
    async fn count(self, peers: &Peers) -> Part<Option<u64>> {
        let limit = if self == Shelf::Food { MAX_LIMIT } else { 1 };
        match self.page(peers, limit, None).await {
            Part::Is(page) => Part::Is(page.total),
            Part::Unknown => Part::Unknown,
            Part::Down => Part::Down,
        }
    }

    async fn page(self, peers: &Peers, limit: u32, after: Option<ProductId>) -> Part<Products> {
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
    let own = page.data.into_iter().filter(|item| !item.product_id.as_str().starts_with(FOOD));
    let data = own.map(|item| Product {
        product_id: item.product_id,
        name: item.name,
        category: item.category,
        unit_price: item.unit_price,
        available: Some(item.available),
        source: shelf.name(),
    });
    Part::Is(Products { total: Some(page.total), data: data.collect(), next: page.next.map(|id| id.to_string()) })
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
        let unit_price = Money::from_minor(price.0);
        Some(Product { product_id, name, category, unit_price, available, source: Shelf::Food.name() })
    };
    let data = food_items.into_iter().filter_map(dish).collect();
    let next = next.map(|place| place.as_str().map_or_else(|| place.to_string(), ToOwned::to_owned));
    Part::Is(Products { total, data, next })
}

fn read_limit(text: Option<&str>) -> Result<u32, FieldError> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| FieldError::new("limit", format!("must be 1 to {MAX_LIMIT}")))
}

/// A shelf and a place on it; what is a place looks like an id.
fn read_after(text: Option<&str>) -> Result<(Shelf, Option<ProductId>), FieldError> {
    let Some(text) = text else { return Ok((Shelf::Inventory, None)) };
    let read = || {
        let (name, place) = text.split_once(':')?;
        let shelf = Shelf::ALL.into_iter().find(|shelf| shelf.name() == name)?;
        let place = if place.is_empty() { None } else { Some(place.parse().ok()?) };
        Some((shelf, place))
    };
    read().ok_or_else(|| FieldError::new("after", "must be the `next` of a page"))
}
