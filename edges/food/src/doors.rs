//! `/food`: the catalogue.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use runtime::Caller::{Checkout, Gateway, Operator};
use runtime::openapi::Operation;
use runtime::{Door, Doors, JsonBody, Page, Problem, clock};
use stock::doors::Named;
use store::{Store, StoreError};

use crate::contract::{Deleted, Food, FoodPage, NewFood, Saved};
use crate::inventory::{Inventory, Told};
use crate::rows;

#[derive(Clone)]
struct House {
    store: Store,
    inventory: Inventory,
}

pub(crate) fn doors(store: Store, inventory: Inventory) -> Doors {
    Doors::new()
        .get("/food", list, Door::of("The menu, with what inventory says of it").to(&[Gateway, Checkout, Operator]))
        .post("/food", create, Door::of("Adds a dish").to(&[Operator]).described(kept))
        .get("/food/{id}", one, Door::of("One dish").to(&[Gateway, Checkout, Operator]))
        .put("/food/{id}", change, Door::of("Changes a dish").to(&[Operator]).described(kept))
        .delete("/food/{id}", remove, Door::of("Takes a dish off the menu").to(&[Operator]))
        .with_state(House { store, inventory })
}

async fn list(State(house): State<House>, Page { limit, after }: Page<i64>) -> Result<Json<FoodPage>, Problem> {
    let after = after.unwrap_or_default();
    // One more than asked for tells whether there is another page.
    let mut food_items = house.store.read(move |tx| rows::page(tx, after, limit + 1)).await?;
    let more = food_items.len() > limit as usize;
    food_items.truncate(limit as usize);
    let next = food_items.last().filter(|_| more).map(|food| food.id);
    let inventory_check = house.inventory.check(&food_items, clock::now()).await;
    Ok(Json(FoodPage { food_items, inventory_check, next }))
}

async fn one(State(house): State<House>, Named(id): Named<i64>) -> Result<Json<Food>, Problem> {
    let food = house.store.read(move |tx| rows::find(tx, id)).await?;
    food.map(Json).ok_or_else(no_such)
}

async fn create(
    State(house): State<House>,
    JsonBody(new): JsonBody<NewFood>,
) -> Result<(StatusCode, Json<Saved>), Problem> {
    new.check()?;
    let write = house.store.write(clock::now_ms(), move |tx| {
        let id = rows::add(tx, &new)?;
        rows::find(tx, id)?.ok_or_else(no_such)
    });
    let food = write.await?;
    Ok((StatusCode::CREATED, Json(house.told(food).await?)))
}

async fn change(
    State(house): State<House>,
    Named(id): Named<i64>,
    JsonBody(new): JsonBody<NewFood>,
) -> Result<Json<Saved>, Problem> {
    new.check()?;
    let write = house.store.write(clock::now_ms(), move |tx| {
        rows::change(tx, id, &new)?;
        rows::find(tx, id)?.ok_or_else(no_such)
    });
    let food = write.await?;
    house.told(food).await.map(Json)
}

async fn remove(State(house): State<House>, Named(id): Named<i64>) -> Result<Json<Deleted>, Problem> {
    let removed = house.store.write::<_, StoreError>(clock::now_ms(), move |tx| rows::remove(tx, id)).await?;
    if removed { Ok(Json(Deleted { message: format!("food item {id} was deleted") })) } else { Err(no_such()) }
}

impl House {
    /// Tells inventory about a row that was just written.
    async fn told(&self, food: Food) -> Result<Saved, Problem> {
        match self.inventory.tell(&self.store, food.id).await? {
            Told::Known => Ok(food.saved(true)),
            Told::Later => Ok(food.saved(false)),
            Told::Refused(mut problem) => {
                problem.detail = format!("the food was saved, its units were not: {}", problem.detail);
                Err(problem)
            }
        }
    }
}

fn kept(operation: Operation) -> Operation {
    operation.refuses(409, "the food was saved, its units were not: fewer than are held")
}

fn no_such() -> Problem {
    Problem::not_found("food")
}
