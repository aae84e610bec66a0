//! `GET /v1/catalog`: everything that is for sale, from three services, filtered and page by page.
//!
//! Products come shelf by shelf: inventory, furniture, food. A page's `next` names the shelf and the place on it. Food has its units
//! in the inventory's ledger; it is shown once, with the price of its menu.
//!
//! `source` is pushed down: other shelves are not asked. The services know no other filter, so for those the gateway looks through
//! their products itself, at most so many a request and for so long; a page may therefore have fewer products than asked for, or none,
//! and a `next`.

mod filter;
mod shelf;

use std::collections::BTreeMap;
use std::time::Duration;

use events::{FieldError, Money, ProductId};
use futures::future::join_all;
use runtime::Problem;
use runtime::clock::Stopwatch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use self::filter::Filter;
use self::shelf::{Products, Shelf};
use crate::peers::{Part, Peers};

/// Products in a page unless the client says otherwise.
const DEFAULT_LIMIT: u32 = 100;
/// The most products in a page.
const MAX_LIMIT: u32 = 500;
/// Rows of services looked at for one page, shown or not: ten requests to services, a fraction of a second.
const MAX_SCAN: usize = 5_000;
/// The time a page has, in times of one part of an answer: each shelf may take one, and counting those the page did not come to another.
/// What is not looked at by then is for the next page.
const PAGE_PARTS: u32 = 4;

/// The query.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Asked {
    /// Products on the page, 1 to 500; 100 unless told.
    #[schemars(with = "Option<u32>", range(min = 1, max = 500))]
    limit: Option<String>,
    /// `next` of the page before.
    #[schemars(regex(pattern = "^((inventory|furniture|food):[A-Za-z0-9._-]{0,64})$"))]
    after: Option<String>,
    /// Only products whose name has this in it, in capitals or not.
    #[schemars(length(min = 1, max = 100), regex(pattern = r"\S"))]
    q: Option<String>,
    /// Only products of this category, in capitals or not.
    #[schemars(length(min = 1, max = 100), regex(pattern = r"\S"))]
    category: Option<String>,
    /// Only products that cost at least this, in the shop's currency.
    #[schemars(regex(pattern = r"^[0-9]{1,7}(\.[0-9]{1,2})?$"))]
    min_price: Option<String>,
    /// Only products that cost at most this.
    #[schemars(regex(pattern = r"^[0-9]{1,7}(\.[0-9]{1,2})?$"))]
    max_price: Option<String>,
    /// `true`: only products of which there is one to be had.
    #[schemars(with = "Option<bool>")]
    available: Option<String>,
    /// Only products of this service: `inventory`, `furniture` or `food`.
    #[schemars(with = "Option<Source>")]
    source: Option<String>,
}

/// Whose a product is.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
#[expect(dead_code, reason = "it is the schema of a word")]
enum Source {
    Inventory,
    Furniture,
    Food,
}

/// A page of products.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Catalog")]
pub(crate) struct Catalog {
    /// Products on each shelf, whatever the filters; a shelf that cannot be counted in time is absent. Food is counted in its own and in
    /// the inventory's ledger.
    totals: BTreeMap<&'static str, u64>,
    /// The products.
    data: Vec<Product>,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Services whose products are not here because they did not answer.
    missing: Vec<&'static str>,
}

/// A product.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Product {
    product_id: ProductId,
    name: String,
    category: String,
    unit_price: Money,
    /// Units for sale; `null` when the ledger could not be asked.
    available: Option<u32>,
    /// Whose it is.
    source: &'static str,
    /// Where the page after it begins.
    #[serde(skip)]
    place: String,
}

/// Reads one page.
///
/// # Errors
/// 400 for a query that is none.
pub(crate) async fn catalog(peers: &Peers, asked: &Asked) -> Result<Catalog, Problem> {
    let limit = read_limit(asked.limit.as_deref())?;
    let filter = Filter::read(asked)?;
    let (first, after) = read_after(asked.after.as_deref())?;
    let mut page = Page {
        filter,
        open: limit as usize,
        looked_at: 0,
        age: Stopwatch::start(),
        time: peers.part_timeout() * PAGE_PARTS,
        counted: Vec::new(),
        catalog: Catalog::empty(),
    };
    page.fill(peers, first, after).await;
    page.count_others(peers).await;
    Ok(page.catalog)
}

/// A page that is being filled.
struct Page {
    filter: Filter,
    /// Products it has room for.
    open: usize,
    /// Rows of services so far.
    looked_at: usize,
    age: Stopwatch,
    /// How old it may get.
    time: Duration,
    /// Shelves whose products are counted, or cannot be.
    counted: Vec<Shelf>,
    catalog: Catalog,
}

impl Page {
    async fn fill(&mut self, peers: &Peers, first: Shelf, mut after: Option<ProductId>) {
        let shelves: Vec<Shelf> = self.filter.shelves().collect();
        for shelf in shelves.into_iter().filter(|shelf| shelf.index() >= first.index()) {
            if self.is_done() {
                self.catalog.next = Some(format!("{}:", shelf.name()));
                return;
            }
            let begin = after.take().filter(|_| shelf == first);
            if let Some(place) = self.take_shelf(peers, shelf, begin).await {
                self.catalog.next = Some(format!("{}:{place}", shelf.name()));
                return;
            }
        }
    }

    /// Goes along a shelf until it ends or the page does; the place to go on from.
    async fn take_shelf(&mut self, peers: &Peers, shelf: Shelf, mut after: Option<ProductId>) -> Option<String> {
        // Of what is filtered by us, as much as there is in one request: there may be nothing in many a small one.
        let mut is_sparse = self.filter.looks_at_products();
        loop {
            let size = if is_sparse { MAX_LIMIT } else { u32::try_from(self.open).unwrap_or(MAX_LIMIT) };
            let Some(part) = self.in_time(shelf.page(peers, size, after.as_ref())).await else {
                return Some(after.map(|place| place.to_string()).unwrap_or_default());
            };
            let Part::Is(products) = part else {
                self.catalog.missing.push(shelf.name());
                self.counted.push(shelf);
                return None;
            };
            if let Some(total) = products.total {
                self.catalog.totals.insert(shelf.name(), total);
                self.counted.push(shelf);
            }
            is_sparse |= products.data.is_empty();
            let place = self.take(products)?;
            if self.is_done() {
                return Some(place);
            }
            // What a service calls a place is one, or there is no going on from it.
            after = Some(place.parse().ok()?);
        }
    }

    fn is_done(&self) -> bool {
        self.open == 0 || self.looked_at >= MAX_SCAN || self.age.elapsed() >= self.time
    }

    /// What comes of `work` in the time that the page has left.
    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        timeout(self.time.saturating_sub(self.age.elapsed()), work).await.ok()
    }

    /// Takes what fits; where to go on from, `None` at the end of the shelf.
    fn take(&mut self, products: Products) -> Option<String> {
        self.looked_at += products.looked_at;
        let mut data = products.data.into_iter().peekable();
        while let Some(product) = data.next() {
            if !self.filter.takes(&product) {
                continue;
            }
            let place = product.place.clone();
            self.catalog.data.push(product);
            self.open -= 1;
            if self.open == 0 && data.peek().is_some() {
                return Some(place);
            }
        }
        products.next
    }

    /// Counts the shelves this page did not come to.
    async fn count_others(&mut self, peers: &Peers) {
        let others: Vec<Shelf> = self.filter.shelves().filter(|shelf| !self.counted.contains(shelf)).collect();
        let this = &*self;
        let counts =
            others.into_iter().map(|shelf| async move { (shelf.name(), this.in_time(shelf.count(peers)).await) });
        for (name, count) in join_all(counts).await {
            match count {
                Some(Part::Is(Some(total))) => drop(self.catalog.totals.insert(name, total)),
                // The page's time was over, which is not the service's fault.
                Some(Part::Is(None)) | None => {}
                Some(Part::Unknown | Part::Down) => self.catalog.missing.push(name),
            }
        }
    }
}

impl Catalog {
    fn empty() -> Self {
        Self { totals: BTreeMap::new(), data: Vec::new(), next: None, missing: Vec::new() }
    }
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
        let shelf = Shelf::named(name)?;
        let place = if place.is_empty() { None } else { Some(place.parse().ok()?) };
        Some((shelf, place))
    };
    read().ok_or_else(|| FieldError::new("after", "must be the `next` of a page"))
}
