//! The food service, with a real ledger behind it that can go away and come back.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

use std::net::SocketAddr;

use axum::Router;
use axum::http::{Method, StatusCode};
use events::Ledger;
use food::{Config, Inventory, MIGRATIONS, doors};
use runtime::server::Server;
use runtime::{Consumer, Identity, clock};
use serde_json::{Value, json};
use testkit::{Answer, Scenario, delete, get, post, put, request};
use tokio::net::TcpListener;

/// The food service and the ledger it calls.
struct Kitchen {
    food: Scenario,
    ledger: Scenario,
    router: Router,
    inventory: Inventory,
    address: SocketAddr,
    server: Option<Server>,
}

impl Kitchen {
    async fn open() -> Self {
        let ledger = Scenario::new(stock::reactions(Ledger::Inventory), &[stock::LEDGER, stock::DEPARTURES]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server =
            Server::start(listener, stock::doors(ledger.transactor().store().clone(), Ledger::Inventory).open_house());
        let food = Scenario::new(Consumer::new("food"), MIGRATIONS);
        let config = Config { inventory_url: format!("http://{address}"), inventory_timeout_ms: 500 };
        let inventory = Inventory::new(&config, &Identity::open_house());
        let router = doors(food.transactor().store().clone(), inventory.clone()).open_house();
        Self { food, ledger, router, inventory, address, server: server.ok() }
    }

    async fn inventory_goes(&mut self) {
        self.server.take().unwrap().stop().await;
    }

    async fn inventory_comes_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.server = Server::start(listener, self.ledger_doors()).ok();
    }

    async fn catch_up(&self) -> usize {
        self.inventory.catch_up(self.food.transactor().store()).await.unwrap()
    }

    fn ledger_doors(&self) -> Router {
        stock::doors(self.ledger.transactor().store().clone(), Ledger::Inventory).open_house()
    }

    /// The product as inventory has it.
    async fn product(&self, id: &str) -> Answer {
        get(&self.ledger_doors(), &format!("/inventory/{id}")).await
    }
}

fn salad() -> Value {
    json!({ "name": "Nicoise", "category": "Salad", "price": 8.99, "available": true, "stockLevel": 7 })
}

fn code(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn the_list_says_what_inventory_has() {
    let kitchen = Kitchen::open().await;
    assert_eq!(kitchen.catch_up().await, 2, "the samples");
    let all = get(&kitchen.router, "/food").await;
    assert_eq!(all.status, StatusCode::OK);
    let pizza = json!({ "id": 1, "name": "Pizza Margherita", "category": "Italian", "price": 12.99, "available": true,
        "productId": "FOOD-1" });
    assert_eq!(all.body["foodItems"][0], pizza);
    assert_eq!(all.body["inventoryCheck"]["checked"], true);
    assert_eq!(
        all.body["inventoryCheck"]["inventoryItems"][1],
        json!({ "productId": "FOOD-2", "stockLevel": 0, "available": 0 })
    );
    let at: events::Timestamp = serde_json::from_value(all.body["inventoryCheck"]["timestamp"].clone()).unwrap();
    assert!(at <= clock::now());
    assert_eq!(get(&kitchen.router, "/food/1").await.body, pizza);
}

#[tokio::test]
async fn without_inventory_the_list_is_there_and_says_that_it_was_not_checked() {
    let mut kitchen = Kitchen::open().await;
    kitchen.inventory_goes().await;
    let all = get(&kitchen.router, "/food").await;
    assert_eq!((all.status, all.body["foodItems"].as_array().map(Vec::len)), (StatusCode::OK, Some(2)));
    assert_eq!(
        (&all.body["inventoryCheck"]["checked"], &all.body["inventoryCheck"]["inventoryItems"]),
        (&json!(false), &json!([]))
    );
}

/// The calls of the published examples, in their order.
#[tokio::test]
async fn the_published_examples_work() {
    let kitchen = Kitchen::open().await;
    let router = &kitchen.router;
    let body = json!({ "name": "Caesar Salad", "category": "Salad", "price": 8.99, "available": true });
    let created = post(router, "/food", &body).await;
    let expected = json!({ "id": 3, "name": "Caesar Salad", "category": "Salad", "price": 8.99, "available": true,
        "productId": "FOOD-3", "inventorySynced": true });
    assert_eq!((created.status, created.body), (StatusCode::CREATED, expected));
    let body = json!({ "name": "Margherita Pizza", "category": "Italian", "price": 14.99, "available": true });
    let changed = put(router, "/food/1", &body).await;
    assert_eq!(
        (changed.status, &changed.body["name"], &changed.body["price"]),
        (StatusCode::OK, &json!("Margherita Pizza"), &json!(14.99))
    );
    assert_eq!(kitchen.product("FOOD-1").await.body["unitPrice"]["units"], 14);
    let deleted = delete(router, "/food/1").await;
    assert_eq!(deleted.status, StatusCode::OK);
    assert!(deleted.body["message"].is_string());
    for answer in [get(router, "/food/1").await, delete(router, "/food/1").await, put(router, "/food/1", &body).await] {
        assert_eq!(code(&answer), (404, "not_found"));
    }
}

#[tokio::test]
async fn new_food_has_its_units_in_inventory() {
    let kitchen = Kitchen::open().await;
    post(&kitchen.router, "/food", &salad()).await;
    let product = kitchen.product("FOOD-3").await.body;
    assert_eq!((&product["name"], &product["stockLevel"]), (&json!("Nicoise"), &json!(7)));
    let mut changed = salad();
    changed.as_object_mut().unwrap().remove("stockLevel");
    changed["name"] = json!("Salade nicoise");
    put(&kitchen.router, "/food/3", &changed).await;
    let product = kitchen.product("FOOD-3").await.body;
    assert_eq!((&product["name"], &product["stockLevel"]), (&json!("Salade nicoise"), &json!(7)), "units stay");
}

#[tokio::test]
async fn changes_made_while_inventory_is_away_reach_it_once_it_is_back() {
    let mut kitchen = Kitchen::open().await;
    kitchen.catch_up().await;
    kitchen.inventory_goes().await;
    let created = post(&kitchen.router, "/food", &salad()).await;
    assert_eq!((created.status, &created.body["inventorySynced"]), (StatusCode::CREATED, &json!(false)));
    let mut dearer = salad();
    dearer["price"] = json!(9.5);
    dearer.as_object_mut().unwrap().remove("stockLevel");
    assert_eq!(put(&kitchen.router, "/food/3", &dearer).await.body["inventorySynced"], false);
    assert_eq!(kitchen.catch_up().await, 0);

    kitchen.inventory_comes_back().await;
    assert_eq!(kitchen.catch_up().await, 1);
    assert_eq!(kitchen.catch_up().await, 0, "what is known is not told again");
    let product = kitchen.product("FOOD-3").await.body;
    assert_eq!((&product["stockLevel"], &product["unitPrice"]["nanos"]), (&json!(7), &json!(500_000_000)));
}

#[tokio::test]
async fn units_that_inventory_refuses_are_refused_and_the_rest_is_kept() {
    let kitchen = Kitchen::open().await;
    post(&kitchen.router, "/food", &salad()).await;
    post(&kitchen.ledger_doors(), "/inventory/FOOD-3/reserve", &json!({ "quantity": 5 })).await;
    let mut fewer = salad();
    fewer["stockLevel"] = json!(4);
    fewer["price"] = json!(1.5);
    assert_eq!(code(&put(&kitchen.router, "/food/3", &fewer).await), (409, "below_reserved"));
    assert_eq!(get(&kitchen.router, "/food/3").await.body["price"], 1.5);
    kitchen.catch_up().await;
    let product = kitchen.product("FOOD-3").await.body;
    assert_eq!((&product["stockLevel"], &product["unitPrice"]["units"]), (&json!(7), &json!(1)));
}

#[tokio::test]
async fn the_list_pages_and_asks_for_every_item() {
    let kitchen = Kitchen::open().await;
    let insert = "INSERT INTO food (name, category, price_minor, available, pending) VALUES ('n', 'c', 1, 1, 0)";
    kitchen.food.given(move |tx| (0..200).try_for_each(|_| tx.execute(insert, &[]).map(|_| ()))).await;
    let products: Vec<Value> = (3..=202)
        .map(|n| {
            json!({ "productId": format!("FOOD-{n}"), "name": "n", "category": "c",
        "unitPrice": { "currencyCode": "USD", "units": 1, "nanos": 0 }, "stockLevel": 1 })
        })
        .collect();
    put(&kitchen.ledger_doors(), "/inventory", &json!(products)).await;

    let first = get(&kitchen.router, "/food?limit=150&after=2").await.body;
    assert_eq!(first["foodItems"].as_array().map(Vec::len), Some(150));
    assert_eq!(first["inventoryCheck"]["inventoryItems"].as_array().map(Vec::len), Some(150));
    assert_eq!(first["next"], 152);
    let second = get(&kitchen.router, "/food?limit=150&after=152").await.body;
    assert_eq!((second["foodItems"].as_array().map(Vec::len), second.get("next")), (Some(50), None));
    let none = get(&kitchen.router, "/food?after=202").await.body;
    assert_eq!((&none["foodItems"], &none["inventoryCheck"]["checked"]), (&json!([]), &json!(true)));
    assert_eq!(get(&kitchen.router, "/food?limit=501").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn no_body_breaks_a_door() {
    let kitchen = Kitchen::open().await;
    for (method, path) in [(Method::POST, "/food"), (Method::PUT, "/food/1")] {
        for body in [
            "",
            "null",
            "{}",
            "[]",
            "{",
            r#"{"name":"n","category":"c","price":-1}"#,
            r#"{"name":"n","category":"c","price":"1"}"#,
            r#"{"name":"n","category":"c","price":1.001}"#,
            r#"{"name":"n","category":"c","price":1,"available":"yes"}"#,
            r#"{"name":" ","category":"c","price":1}"#,
            r#"{"name":"n","category":"c","price":1,"stockLevel":1.5}"#,
        ] {
            let answer = request(&kitchen.router, method.clone(), path, body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {body}");
        }
    }
    for id in ["0", "-1", "x", "99", "9223372036854775808"] {
        assert_eq!(get(&kitchen.router, &format!("/food/{id}")).await.status, StatusCode::NOT_FOUND, "{id}");
        assert_eq!(delete(&kitchen.router, &format!("/food/{id}")).await.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn the_catalogue_works_on_postgresql() {
    let Ok(url) = std::env::var("BOUTIQUE_TEST_POSTGRES") else {
        assert_ne!(std::env::var("BOUTIQUE_REQUIRE_POSTGRES").as_deref(), Ok("1"), "BOUTIQUE_TEST_POSTGRES is not set");
        return;
    };
    let kitchen = Kitchen::open().await;
    let schema = format!("food_{}", clock::new_id().simple());
    let store = store::Store::open(&store::Database::Postgres { url, schema }, MIGRATIONS).unwrap();
    let doors = doors(store.clone(), kitchen.inventory.clone()).open_house();
    let created = post(&doors, "/food", &salad()).await;
    assert_eq!((&created.body["id"], &created.body["inventorySynced"]), (&json!(3), &json!(true)), "{created:?}");
    let mut plain = salad();
    plain.as_object_mut().unwrap().remove("stockLevel");
    assert_eq!(put(&doors, "/food/3", &plain).await.status, StatusCode::OK);
    assert_eq!(kitchen.inventory.catch_up(&store).await, Ok(2));
    assert_eq!(get(&doors, "/food").await.body["foodItems"].as_array().map(Vec::len), Some(3));
    assert_eq!(delete(&doors, "/food/3").await.status, StatusCode::OK);
}
