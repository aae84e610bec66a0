//! The REST doors.

use std::borrow::Cow;

use ::store::Store;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use events::{CustomerId, FieldError};
use runtime::Caller::{Accounting, Checkout, Gateway, Operator};
use runtime::{Door, Doors, JsonBody, Page, Problem, clock};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::Config;
use crate::customer::{BillingProfile, CustomerView, NewCustomer};
use crate::erasing;
use crate::store::{self, CurrentKey, Found, Unwritten};
use crate::vault::{Fresh, Vault};

/// The most customers in one import.
const MAX_IMPORT: usize = 500;

/// Customers to add or change, each with its id.
#[derive(Deserialize)]
struct Import(Vec<NewCustomer>);

impl JsonSchema for Import {
    fn schema_name() -> Cow<'static, str> {
        "Import".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let customer = generator.subschema_for::<NewCustomer>();
        let id = generator.subschema_for::<CustomerId>();
        let named = json!({ "required": ["customerId"], "properties": { "customerId": id } });
        json_schema!({ "type": "array", "minItems": 1, "maxItems": MAX_IMPORT, "items": { "allOf": [customer, named] } })
    }
}

/// How many customers were added or changed.
#[derive(Serialize, JsonSchema)]
struct Imported {
    upserted: usize,
}

/// What the doors work with.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    config: Config,
}

/// Every door.
pub(crate) fn doors(store: Store, config: Config) -> Doors {
    const ADD: Door = Door::of("Adds a customer")
        .to(&[Operator])
        .described(|it| it.gives::<CustomerView>(200, "it was there").refuses(409, "another customer has this id"));
    const BEGIN: Door = Door::of("Begins the erasure of a customer")
        .to(&[Operator])
        .described(|it| it.refuses(404, "there is no such customer"));
    const CALL_OFF: Door = Door::of("Calls an erasure off")
        .to(&[Operator])
        .described(|it| it.refuses(409, "the key is destroyed already"));
    Doors::new()
        .get("/customers", list, Door::of("Lists customers, page by page").to(&[Accounting, Operator]))
        .post("/customers", create, ADD)
        .post(
            "/customers/import",
            import,
            Door::of("Adds or changes up to 500 customers, each with its id").to(&[Operator]),
        )
        .get("/customers/{customerId}", show, Door::of("One customer").to(&[Checkout, Gateway, Operator]))
        .get(
            "/customers/{customerId}/billing-profile",
            billing_profile,
            Door::of("Whether and how a customer can be billed").to(&[Accounting, Operator]),
        )
        .get("/erasures", erasing::list, Door::of("Lists erasures, page by page").to(&[Operator]))
        .post("/erasures", erasing::begin, BEGIN)
        .delete("/erasures/{sealedId}", erasing::call_off, CALL_OFF)
        .post("/erasures/{sealedId}/destroy", erasing::destroy, Door::of("Destroys a customer's key").to(&[Operator]))
        .post("/erasures/{sealedId}/proof", erasing::prove, Door::of("Notes that nothing was found").to(&[Operator]))
        .with_state(House { store, vault: Vault::new(&config.master_key), config })
}

impl From<Unwritten> for Problem {
    fn from(unwritten: Unwritten) -> Self {
        match unwritten {
            Unwritten::Store(error) => error.into(),
            Unwritten::KeyReplaced => {
                tracing::error!("another process has put another master key in place: stop this one");
                let detail =
                    "the customers are under another master key than this process has: ask one that was started since";
                Problem::unavailable("master_key_replaced", detail)
            }
        }
    }
}

async fn list(State(door): State<House>, page: Page<i64>) -> Result<(HeaderMap, Json<Vec<CustomerView>>), Problem> {
    let (limit, after) = (page.limit, page.after.unwrap_or_default());
    let vault = door.vault.clone();
    let mut rows = door.store.read(move |tx| store::customers(tx, &vault, after, limit + 1)).await?;
    let mut headers = HeaderMap::new();
    if rows.len() > limit as usize {
        rows.truncate(limit as usize);
        let last = rows.last().map_or(0, |row| row.seq);
        let link = format!("</customers?limit={limit}&after={last}>; rel=\"next\"");
        let link = HeaderValue::from_str(&link).expect("numbers are visible ASCII");
        headers.insert(header::LINK, link);
    }
    Ok((headers, Json(rows.into_iter().map(|row| row.view(&door.config)).collect())))
}

async fn create(
    State(door): State<House>,
    JsonBody(new): JsonBody<NewCustomer>,
) -> Result<(StatusCode, Json<CustomerView>), Problem> {
    new.check("")?;
    let customer_id = new.customer_id.clone().unwrap_or_else(|| CustomerId::from_uuid(clock::new_id()));
    let (name, surname) = (new.name.clone(), new.surname.clone());
    let (vault, fresh) = (door.vault.clone(), Fresh::draw());
    let (added, found) = door
        .store
        .write(clock::now_ms(), move |tx| {
            let key = CurrentKey::of(tx, &vault)?;
            let added = store::add(tx, &key, &fresh, &customer_id, &new)?;
            Ok::<_, Unwritten>((added, store::customer(tx, &vault, customer_id.as_str())?))
        })
        .await?;
    let row = found.here().ok_or_else(|| Problem::internal("a customer just added is not there"))?;
    if !added && (row.contents.name != name || row.contents.surname != surname) {
        return Err(Problem::conflict("customer_exists", "another customer has this id"));
    }
    let status = if added { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(row.view(&door.config))))
}

async fn import(
    State(door): State<House>,
    JsonBody(Import(customers)): JsonBody<Import>,
) -> Result<Json<Imported>, Problem> {
    if !(1..=MAX_IMPORT).contains(&customers.len()) {
        return Err(FieldError::new("body", format!("must hold 1 to {MAX_IMPORT} customers")).into());
    }
    let mut named = Vec::with_capacity(customers.len());
    for (index, customer) in customers.into_iter().enumerate() {
        customer.check(&format!("[{index}]."))?;
        let Some(customer_id) = customer.customer_id.clone() else {
            return Err(FieldError::new(format!("[{index}].customerId"), "is missing").into());
        };
        named.push((customer_id, Fresh::draw(), customer));
    }
    let (upserted, vault) = (named.len(), door.vault.clone());
    door.store
        .write(clock::now_ms(), move |tx| {
            let key = CurrentKey::of(tx, &vault)?;
            let mut each = named.iter();
            each.try_for_each(|(customer_id, fresh, customer)| store::upsert(tx, &key, fresh, customer_id, customer))?;
            Ok::<_, Unwritten>(())
        })
        .await?;
    Ok(Json(Imported { upserted }))
}

async fn show(State(door): State<House>, Path(customer_id): Path<String>) -> Result<Json<CustomerView>, Problem> {
    let vault = door.vault.clone();
    match door.store.read(move |tx| store::customer(tx, &vault, &customer_id)).await? {
        Found::Here(row) => Ok(Json(row.view_with_seal(&door.config))),
        Found::Erased => {
            Err(Problem::new(StatusCode::NOT_FOUND, "customer_erased", "the customer with this sealed id was erased"))
        }
        Found::Nobody => Err(Problem::not_found("customer")),
    }
}

async fn billing_profile(
    State(door): State<House>,
    Path(customer_id): Path<String>,
) -> Result<Json<BillingProfile>, Problem> {
    let vault = door.vault.clone();
    let profile = door.store.read(move |tx| store::billing_profile(tx, &vault, &customer_id)).await?;
    profile.map(Json).ok_or_else(|| Problem::not_found("billing profile"))
}
