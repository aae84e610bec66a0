//! `/furniture`: the catalogue.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use events::{Ledger, ProductId};
use runtime::Caller::{Gateway, Operator};
use runtime::{Door, Doors, JsonBody, Page, Problem, clock};
use stock::doors::Named;
use stock::{catalogue, keeper};
use store::Store;

use crate::contract::{Deleted, Furniture, NewFurniture};
use crate::rows;

pub(crate) fn doors(store: Store) -> Doors {
    const REMOVE: Door = Door::of("Takes a piece of furniture out of the catalogue")
        .to(&[Operator])
        .described(|it| it.refuses(409, "units of it are held"));
    Doors::new()
        .get("/furniture", list, Door::of("Lists furniture, page by page").to(&[Gateway, Operator]))
        .post("/furniture", create, Door::of("Adds a piece of furniture").to(&[Operator]))
        .get("/furniture/{id}", one, Door::of("One piece of furniture").to(&[Gateway, Operator]))
        .put("/furniture/{id}", change, Door::of("Changes a piece of furniture").to(&[Operator]))
        .delete("/furniture/{id}", remove, REMOVE)
        .with_state(store)
}

async fn list(
    State(store): State<Store>,
    Page { limit, after }: Page<i64>,
) -> Result<(HeaderMap, Json<Vec<Furniture>>), Problem> {
    let after = after.unwrap_or_default();
    // One more than asked for tells whether there is another page.
    let mut page = store.read(move |tx| rows::page(tx, after, limit + 1)).await?;
    let more = page.len() > limit as usize;
    page.truncate(limit as usize);
    let last = page.last().filter(|_| more).map(|furniture| furniture.id);
    let mut headers = HeaderMap::new();
    if let Some(last) = last {
        let next = format!("</furniture?limit={limit}&after={last}>; rel=\"next\"");
        let next = HeaderValue::try_from(next).expect("numbers are header text");
        headers.insert(header::LINK, next);
    }
    Ok((headers, Json(page)))
}

async fn one(State(store): State<Store>, Named(id): Named<i64>) -> Result<Json<Furniture>, Problem> {
    let product_id = product(id)?;
    let found = store.read(move |tx| rows::find(tx, &product_id)).await?;
    found.map(Json).ok_or_else(no_such)
}

async fn create(
    State(store): State<Store>,
    JsonBody(new): JsonBody<NewFurniture>,
) -> Result<(StatusCode, Json<Furniture>), Problem> {
    let write = store.write(clock::now_ms(), move |tx| {
        let product = new.product(rows::next_product(tx)?)?;
        catalogue::upsert(tx, Ledger::Furniture, &product, "")?;
        rows::find(tx, &product.product_id)?.ok_or_else(no_such)
    });
    Ok((StatusCode::CREATED, Json(write.await?)))
}

async fn change(
    State(store): State<Store>,
    Named(id): Named<i64>,
    JsonBody(new): JsonBody<NewFurniture>,
) -> Result<Json<Furniture>, Problem> {
    let product = new.product(product(id)?)?;
    let write = store.write(clock::now_ms(), move |tx| {
        rows::find(tx, &product.product_id)?.ok_or_else(no_such)?;
        catalogue::upsert(tx, Ledger::Furniture, &product, "")?;
        rows::find(tx, &product.product_id)?.ok_or_else(no_such)
    });
    write.await.map(Json)
}

async fn remove(State(store): State<Store>, Named(id): Named<i64>) -> Result<Json<Deleted>, Problem> {
    let product_id = product(id)?;
    store.write(clock::now_ms(), move |tx| catalogue::remove(tx, &product_id)).await?;
    Ok(Json(Deleted { message: format!("furniture item {id} was deleted") }))
}

fn product(id: i64) -> Result<ProductId, Problem> {
    keeper::furniture_product(id).ok_or_else(no_such)
}

fn no_such() -> Problem {
    Problem::not_found("piece of furniture")
}
