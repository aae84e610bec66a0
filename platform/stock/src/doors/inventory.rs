//! `/inventory`: products and their units.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use events::{FieldError, ProductId};
use runtime::{JsonBody, Problem, clock};
use store::{StoreError, Tx};

use super::{Asked, House, ListQuery, Named};
use crate::catalogue::{self, Put};
use crate::contract::{Bulk, Item, ItemChange, Page, Quantity, Upserted};
use crate::limits::{MAX_BULK, MAX_IDS};
use crate::products;

/// `GET /inventory`: a page, or the products asked for by id.
pub(super) async fn list(State(house): State<House>, Asked(query): Asked<ListQuery>) -> Result<Json<Page>, Problem> {
    if let Some(ids) = &query.ids {
        let ids = read_ids(ids)?;
        let data = house.store.read(move |tx| products::find_all(tx, &ids)).await?;
        return Ok(Json(Page { total: data.len() as u64, data, next: None }));
    }
    let limit = query.limit()?;
    let after = query.after::<ProductId>()?;
    let page = house.store.read(move |tx| {
        // One more than asked for tells whether there is another page.
        let mut data = products::page(tx, after.as_ref().map_or("", ProductId::as_str), limit + 1)?;
        let more = data.len() > limit as usize;
        data.truncate(limit as usize);
        let next = data.last().filter(|_| more).map(|item| item.product_id.clone());
        Ok::<_, StoreError>(Page { total: products::count(tx)?, data, next })
    });
    Ok(Json(page.await?))
}

/// `GET /inventory/{productId}`.
pub(super) async fn one(
    State(house): State<House>,
    Named(product_id): Named<ProductId>,
) -> Result<Json<Item>, Problem> {
    let item = house.store.read(move |tx| products::find(tx, &product_id)).await?;
    item.map(Json).ok_or_else(|| Problem::not_found("product"))
}

/// `POST /inventory/{productId}/reserve`: by hand, for no order.
pub(super) async fn reserve(
    State(house): State<House>,
    Named(product_id): Named<ProductId>,
    JsonBody(wanted): JsonBody<Quantity>,
) -> Result<Json<Item>, Problem> {
    let refusal = Problem::conflict("out_of_stock", "there are not that many units for sale");
    by_hand(house, product_id, wanted, products::hold_by_hand, refusal).await
}

/// `POST /inventory/{productId}/release`: of what was reserved by hand.
pub(super) async fn release(
    State(house): State<House>,
    Named(product_id): Named<ProductId>,
    JsonBody(wanted): JsonBody<Quantity>,
) -> Result<Json<Item>, Problem> {
    let refusal = Problem::conflict("not_reserved", "not that many units are reserved by hand");
    by_hand(house, product_id, wanted, products::free_by_hand, refusal).await
}

/// Takes or gives units: true when it could.
type ByHand = fn(&mut Tx<'_>, &ProductId, u32) -> Result<bool, StoreError>;

async fn by_hand(
    house: House,
    product_id: ProductId,
    wanted: Quantity,
    change: ByHand,
    refusal: Problem,
) -> Result<Json<Item>, Problem> {
    wanted.check()?;
    let write = house.store.write(clock::now_ms(), move |tx| {
        let changed = change(tx, &product_id, wanted.quantity)?;
        match products::find(tx, &product_id)? {
            None => Err(Problem::not_found("product")),
            Some(item) if changed => Ok(item),
            Some(_) => Err(refusal),
        }
    });
    write.await.map(Json)
}

/// `PUT /inventory/{productId}`.
pub(super) async fn put(
    State(house): State<House>,
    Named(product_id): Named<ProductId>,
    JsonBody(change): JsonBody<ItemChange>,
) -> Result<Response, Problem> {
    change.check()?;
    let ledger = house.ledger;
    let put = house.store.write(clock::now_ms(), move |tx| catalogue::put(tx, ledger, &product_id, &change)).await?;
    Ok(match put {
        Put::Changed(item) => Json(item).into_response(),
        Put::Created(item) => (StatusCode::CREATED, Json(item)).into_response(),
    })
}

/// `PUT /inventory`: many products, all or none.
pub(super) async fn put_many(
    State(house): State<House>,
    JsonBody(Bulk(products)): JsonBody<Bulk>,
) -> Result<Json<Upserted>, Problem> {
    if !(1..=MAX_BULK).contains(&products.len()) {
        return Err(FieldError::new("body", format!("must hold 1 to {MAX_BULK} products")).into());
    }
    for (index, product) in products.iter().enumerate() {
        product.check(&format!("[{index}]"))?;
    }
    let ledger = house.ledger;
    let write = house.store.write(clock::now_ms(), move |tx| {
        for (index, product) in products.iter().enumerate() {
            catalogue::upsert(tx, ledger, product, &format!("[{index}]"))?;
        }
        Ok::<_, Problem>(Upserted { upserted: products.len() })
    });
    write.await.map(Json)
}

fn read_ids(text: &str) -> Result<Vec<ProductId>, FieldError> {
    // What is no id names no product, and a product that is not there is left out.
    let mut ids: Vec<ProductId> = Vec::new();
    for (count, id) in text.split(',').enumerate() {
        if count == MAX_IDS {
            return Err(FieldError::new("ids", format!("must hold at most {MAX_IDS} ids")));
        }
        ids.extend(id.trim().parse::<ProductId>());
    }
    Ok(ids)
}
