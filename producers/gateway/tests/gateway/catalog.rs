//! The catalogue of three services: every product once, page by page, filtered.

use std::time::Duration;

use runtime::clock::Stopwatch;
use serde_json::{Value, json};

use crate::world::World;

fn item(id: &str) -> Value {
    json!({ "productId": id, "name": id, "category": "c", "unitPrice": { "currencyCode": "USD", "units": 1, "nanos": 0 },
        "location": "l", "stockLevel": 5, "reserved": 1, "available": 4, "lastUpdated": "2026-01-01T00:00:00Z" })
}

fn menu() -> Value {
    json!({ "foodItems": [{ "id": 1, "name": "Pizza", "category": "Italian", "price": 12.99 }],
        "inventoryCheck": { "checked": true, "timestamp": "2026-01-01T00:00:00Z",
            "inventoryItems": [{ "productId": "FOOD-1", "stockLevel": 9, "available": 7 }] } })
}

fn shelves(world: World) -> World {
    let page =
        |ids: &[&str], total: u64| json!({ "total": total, "data": ids.iter().map(|id| item(id)).collect::<Vec<_>>() });
    let with_next = |ids: &[&str], total: u64, next: &str| {
        let mut page = page(ids, total);
        page["next"] = json!(next);
        page
    };
    world
        .on("GET inventory/inventory?limit=100", 200, page(&["A", "B", "C", "FOOD-1"], 4))
        .on("GET inventory/inventory?limit=1", 200, with_next(&["A"], 4, "A"))
        .on("GET inventory/inventory?limit=2", 200, with_next(&["A", "B"], 4, "B"))
        .on("GET inventory/inventory?limit=2&after=B", 200, page(&["C", "FOOD-1"], 4))
        .on("GET furniture/inventory?limit=97", 200, page(&["FURN-1"], 1))
        .on("GET furniture/inventory?limit=1", 200, page(&["FURN-1"], 1))
        .on("GET food/food?limit=96", 200, menu())
        .on("GET food/food?limit=2", 200, menu())
        .on("GET food/food?limit=500", 200, menu())
}

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|item| item["productId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_catalogue_has_every_product_once() {
    let page = shelves(World::new().await).get("/v1/catalog").await.body;
    assert_eq!(ids(&page), ["A", "B", "C", "FURN-1", "FOOD-1"]);
    assert_eq!(page["totals"], json!({ "inventory": 4, "furniture": 1, "food": 1 }));
    assert_eq!((&page["missing"], &page["next"]), (&json!([]), &Value::Null));
    assert_eq!(
        page["data"][4],
        json!({ "productId": "FOOD-1", "name": "Pizza", "category": "Italian", "available": 7,
        "unitPrice": { "currencyCode": "USD", "units": 12, "nanos": 990_000_000 }, "source": "food" })
    );
}

#[tokio::test]
async fn the_catalogue_pages_through_every_shelf() {
    let world = shelves(World::new().await);
    let (mut seen, mut path) = (Vec::new(), "/v1/catalog?limit=2".to_owned());
    for _ in 0..10 {
        let page = world.get(&path).await.body;
        assert_eq!(page["totals"], json!({ "inventory": 4, "furniture": 1, "food": 1 }), "{path}");
        seen.extend(ids(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/catalog?limit=2&after={next}");
    }
    assert_eq!(seen, ["A", "B", "C", "FURN-1", "FOOD-1"]);
}

#[tokio::test]
async fn a_shelf_that_is_down_is_named_and_the_others_are_shown() {
    let page = shelves(World::new().await).silent(&["furniture"]).on("GET food/food?limit=97", 200, menu());
    let page = page.get("/v1/catalog").await.body;
    assert_eq!(ids(&page), ["A", "B", "C", "FOOD-1"]);
    assert_eq!((&page["missing"], &page["totals"]), (&json!(["furniture"]), &json!({ "inventory": 4, "food": 1 })));
}

#[tokio::test]
async fn a_query_that_is_none_is_refused() {
    let world = World::new().await;
    for query in [
        "limit=0",
        "limit=501",
        "limit=a",
        "after=A",
        "after=attic:A",
        "after=food:%2F",
        "limit=1&limit=2",
        "color=red",
        "available=yes",
        "maxPrice=x",
        "source=attic",
    ] {
        let answer = world.get(&format!("/v1/catalog?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn filters_are_looked_for_page_by_page_and_go_on_where_they_stopped() {
    let mut lamp = item("C");
    lamp["name"] = json!("Desk LAMP");
    let pages = [
        json!({ "total": 3, "data": [item("A"), item("B")], "next": "B" }),
        json!({ "total": 3, "data": [lamp, item("D")] }),
    ];
    let world = World::new()
        .await
        .on("GET inventory/inventory?limit=500", 200, pages[0].clone())
        .on("GET inventory/inventory?limit=500&after=B", 200, pages[1].clone())
        .on("GET inventory/inventory?limit=500&after=C", 200, json!({ "total": 3, "data": [item("D")] }))
        .on("GET furniture/inventory?limit=500", 200, json!({ "total": 0, "data": [] }))
        .on("GET furniture/inventory?limit=1", 200, json!({ "total": 0, "data": [] }))
        .on("GET food/food?limit=500", 200, menu());
    let page = world.get("/v1/catalog?q=lamp&limit=1").await.body;
    assert_eq!((ids(&page), &page["next"]), (vec!["C".to_owned()], &json!("inventory:C")));
    let page = world.get("/v1/catalog?q=lamp&limit=1&after=inventory:C").await.body;
    assert_eq!((ids(&page), &page["next"]), (vec![], &Value::Null));
    let page = world.get("/v1/catalog?category=ITALIAN&minPrice=12.99&available=true").await.body;
    assert_eq!(ids(&page), ["FOOD-1"]);
    assert_eq!(page["totals"], json!({ "inventory": 3, "furniture": 0, "food": 1 }), "whatever the filters");
}

#[tokio::test]
async fn a_source_asks_nobody_else() {
    let world = World::new().await.on("GET food/food?limit=100", 200, menu());
    let page = world.get("/v1/catalog?source=food").await.body;
    assert_eq!((ids(&page), &page["totals"]), (vec!["FOOD-1".to_owned()], &json!({ "food": 1 })));
    assert_eq!(world.asked().len(), 1);
}

/// Pages of 500 rows of the inventory, whose ids begin with `prefix`, from the beginning or from after `first` on.
fn long_shelf(mut world: World, prefix: &str, pages: usize, first: Option<&str>) -> World {
    let last = |page: usize| format!("{prefix}{:05}", page * 500 + 499);
    for page in 0..pages {
        let data: Vec<Value> = (0..500).map(|number| item(&format!("{prefix}{:05}", page * 500 + number))).collect();
        let before = if page == 0 { first.map(ToOwned::to_owned) } else { Some(last(page - 1)) };
        let after = before.map(|before| format!("&after={before}")).unwrap_or_default();
        let mut answer = json!({ "total": 6_000, "data": data });
        if page + 1 < pages {
            answer["next"] = json!(last(page));
        }
        world = world.on(&format!("GET inventory/inventory?limit=500{after}"), 200, answer);
    }
    world
}

#[tokio::test]
async fn a_filter_looks_at_so_many_products_a_request_and_says_where_it_stopped() {
    // Pages of 500 take a while where everything is checked.
    let world = World::with(|config| config.part_timeout_ms = 30_000).await;
    // None of them is looked for.
    let world = long_shelf(world, "P-", 12, None);
    let page = world.get("/v1/catalog?q=nothing&source=inventory").await.body;
    assert_eq!((ids(&page), &page["next"]), (vec![], &json!("inventory:P-04999")));
    assert_eq!(world.asked().len(), 10);
    let page = world.get("/v1/catalog?q=nothing&source=inventory&after=inventory:P-04999").await.body;
    assert_eq!((ids(&page), &page["next"]), (vec![], &Value::Null));
}

/// The inventory's ledger has food, too, which is shown from its menu: a small page of it must not be looked past row by row.
#[tokio::test]
async fn rows_that_are_not_shown_count_and_are_looked_past_in_large_pages() {
    let world = World::with(|config| config.part_timeout_ms = 30_000).await;
    let first = json!({ "total": 6_001, "data": [item("FOOD-0")], "next": "FOOD-0" });
    let world = long_shelf(world, "FOOD-", 12, Some("FOOD-0")).on("GET inventory/inventory?limit=1", 200, first);
    let page = world.get("/v1/catalog?limit=1&source=inventory").await.body;
    assert_eq!((ids(&page), &page["next"]), (vec![], &json!("inventory:FOOD-04999")));
    assert_eq!((world.asked().len(), &page["missing"]), (11, &json!([])));
}

#[tokio::test]
async fn a_page_has_its_time_and_says_where_it_stopped() {
    let slow = Duration::from_millis(300);
    let mut world = World::with(|config| config.part_timeout_ms = 1_000).await.slow("inventory", slow);
    for number in 0..40 {
        let after = if number == 0 { String::new() } else { format!("&after=P-{}", number - 1) };
        let id = format!("P-{number}");
        let answer = json!({ "total": 41, "data": [item(&id)], "next": id });
        world = world.on(&format!("GET inventory/inventory?limit=500{after}"), 200, answer);
    }
    let watch = Stopwatch::start();
    let page = world.get("/v1/catalog?q=nothing&source=inventory").await.body;
    assert!(watch.elapsed() < Duration::from_secs(6), "{:?}", watch.elapsed());
    assert_eq!((ids(&page), &page["missing"]), (vec![], &json!([])));
    let asked = world.asked().len();
    // The last one was under way when the time was over.
    assert_eq!(page["next"], format!("inventory:P-{}", asked - 2));
}
