//! `/inventory` keeps its contract.

use axum::Router;
use axum::http::{Method, StatusCode};
use events::Ledger;
use runtime::clock;
use serde_json::{Value, json};
use testkit::{Answer, Scenario, get, post, put, request};

use crate::shop::*;

async fn doors() -> (Scenario, Router) {
    let shop = shop().await;
    let router = stock::doors(shop.transactor().store().clone(), Ledger::Inventory).open_house();
    (shop, router)
}

fn usd(units: i64, nanos: i64) -> Value {
    json!({ "currencyCode": "USD", "units": units, "nanos": nanos })
}

fn code(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_list_has_its_total_and_pages() {
    let (_shop, router) = doors().await;
    let all = get(&router, "/inventory").await;
    assert_eq!(all.status, StatusCode::OK);
    assert_eq!((&all.body["total"], all.body["data"].as_array().map(Vec::len)), (&json!(2), Some(2)));
    assert_eq!(all.body.get("next"), None);
    let lens = json!({ "productId": LENS, "name": "Vintage Camera Lens", "category": "Sample",
        "unitPrice": usd(12, 490_000_000), "location": "aisle-3", "stockLevel": 10, "reserved": 0, "available": 10,
        "lastUpdated": "2026-01-01T00:00:00Z" });
    assert_eq!(all.body["data"][0], lens);

    let first = get(&router, "/inventory?limit=1").await.body;
    assert_eq!(
        (&first["total"], &first["data"][0]["productId"], &first["next"]),
        (&json!(2), &json!(LENS), &json!(LENS))
    );
    let second = get(&router, &format!("/inventory?limit=1&after={LENS}")).await.body;
    assert_eq!((&second["data"][0]["productId"], second.get("next")), (&json!(MUG), None));
}

#[tokio::test]
async fn products_are_asked_for_by_id_and_unknown_ones_are_absent() {
    let (_shop, router) = doors().await;
    let found = get(&router, &format!("/inventory?ids={MUG},GONE,{LENS},{LENS},no%20id,")).await;
    let ids: Vec<_> = found.body["data"].as_array().unwrap().iter().map(|item| item["productId"].clone()).collect();
    assert_eq!((found.status, ids), (StatusCode::OK, vec![json!(LENS), json!(MUG)]));
    assert_eq!(found.body["total"], 2);

    assert_eq!(get(&router, &format!("/inventory?ids={MUG}")).await.body["total"], 1);
    assert_eq!(get(&router, "/inventory?ids=").await.body, json!({ "total": 0, "data": [] }));
    let many = |count| (0..count).map(|number| format!("P-{number}")).collect::<Vec<_>>().join(",");
    assert_eq!(get(&router, &format!("/inventory?ids={}", many(100))).await.status, StatusCode::OK);
    assert_eq!(code(&get(&router, &format!("/inventory?ids={}", many(101))).await), (400, "invalid_field"));
}

#[tokio::test]
async fn a_query_out_of_range_is_refused() {
    let (_shop, router) = doors().await;
    for query in ["limit=0", "limit=501", "limit=-1", "limit=x", "limit=", "after=no%20id", "limit=1&limit=2"] {
        assert_eq!(get(&router, &format!("/inventory?{query}")).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn units_are_reserved_and_released_by_hand() {
    let (_shop, router) = doors().await;
    let reserve = format!("/inventory/{LENS}/reserve");
    let release = format!("/inventory/{LENS}/release");
    let reserved = post(&router, &reserve, &json!({ "quantity": 4 })).await;
    assert_eq!(reserved.status, StatusCode::OK);
    assert_eq!((&reserved.body["reserved"], &reserved.body["available"]), (&json!(4), &json!(6)));
    assert_eq!(code(&post(&router, &reserve, &json!({ "quantity": 7 })).await), (409, "out_of_stock"));
    assert_eq!(code(&post(&router, &release, &json!({ "quantity": 5 })).await), (409, "not_reserved"));
    let released = post(&router, &release, &json!({ "quantity": 3 })).await;
    assert_eq!((released.status, &released.body["reserved"]), (StatusCode::OK, &json!(1)));

    for path in ["/inventory/GONE/reserve", "/inventory/GONE/release", "/inventory/no%20id/reserve"] {
        assert_eq!(code(&post(&router, path, &json!({ "quantity": 1 })).await), (404, "not_found"), "{path}");
    }
    for wrong in [json!(0), json!(-1), json!(1.5), json!("1"), json!(null), json!(4_294_967_296_u64), json!([1])] {
        for path in [&reserve, &release] {
            let answer = post(&router, path, &json!({ "quantity": wrong })).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {wrong}");
        }
    }
}

/// Units held for orders are not a person's to release.
#[tokio::test]
async fn holds_of_orders_are_not_released_by_hand() {
    let (shop, router) = doors().await;
    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    let answer = post(&router, &format!("/inventory/{LENS}/release"), &json!({ "quantity": 1 })).await;
    assert_eq!(code(&answer), (409, "not_reserved"));
}

#[tokio::test]
async fn a_product_is_changed_where_it_is_and_made_where_it_is_not() {
    let (shop, router) = doors().await;
    let path = format!("/inventory/{LENS}");
    let changed = put(&router, &path, &json!({ "stockLevel": 50 })).await;
    assert_eq!((changed.status, &changed.body["stockLevel"]), (StatusCode::OK, &json!(50)));
    assert_eq!(changed.body["name"], "Vintage Camera Lens");
    let all = json!({ "stockLevel": 8, "name": "Lens", "category": "Photo", "unitPrice": usd(3, 500_000_000),
        "location": "aisle-4", "lowThreshold": 2 });
    let changed = put(&router, &path, &all).await.body;
    assert_eq!(changed, get(&router, &path).await.body);
    assert_eq!(
        (&changed["name"], &changed["category"], &changed["unitPrice"], &changed["location"]),
        (&json!("Lens"), &json!("Photo"), &usd(3, 500_000_000), &json!("aisle-4"))
    );

    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    assert_eq!(code(&put(&router, &path, &json!({ "stockLevel": 2 })).await), (409, "below_reserved"));
    assert_eq!(put(&router, &path, &json!({ "stockLevel": 3 })).await.status, StatusCode::OK);

    assert_eq!(code(&put(&router, "/inventory/NEW", &json!({ "stockLevel": 1 })).await), (404, "not_found"));
    let new = json!({ "stockLevel": 1, "name": "New", "unitPrice": usd(1, 0) });
    let created = put(&router, "/inventory/NEW", &new).await;
    assert_eq!((created.status, &created.body["location"]), (StatusCode::CREATED, &json!("main-warehouse")));
    assert_eq!(put(&router, "/inventory/NEW", &new).await.status, StatusCode::OK);
    assert_eq!(code(&put(&router, "/inventory/FURN-9", &new).await), (400, "invalid_field"));
}

#[tokio::test]
async fn changes_out_of_bounds_are_refused() {
    let (_shop, router) = doors().await;
    let good = json!({ "stockLevel": 1, "name": "New", "unitPrice": usd(1, 0) });
    for (field, wrong) in [
        ("stockLevel", json!(-1)),
        ("stockLevel", json!(1_000_000_001)),
        ("stockLevel", json!(null)),
        ("lowThreshold", json!(-1)),
        ("name", json!("")),
        ("name", json!("x".repeat(201))),
        ("name", json!("a\u{1}b")),
        ("location", json!("  ")),
        ("unitPrice", usd(-1, 0)),
        ("unitPrice", usd(1, 1)),
        ("unitPrice", usd(i64::MAX, 0)),
        ("unitPrice", json!({ "currencyCode": "EUR", "units": 1, "nanos": 0 })),
        ("unitPrice", json!(1.0)),
    ] {
        let mut body = good.clone();
        body[field] = wrong.clone();
        let answer = put(&router, "/inventory/NEW", &body).await;
        assert_eq!(code(&answer), (400, "invalid_field"), "{field} {wrong}");
        assert!(answer.body["errors"][0]["path"].as_str().unwrap().starts_with(field), "{:?}", answer.body);
    }
    assert_eq!(get(&router, "/inventory/NEW").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn many_products_are_put_all_or_none() {
    let (shop, router) = doors().await;
    let product = |id: &str, level: Value| json!({ "productId": id, "name": id, "category": "C", "unitPrice": usd(2, 0), "stockLevel": level });
    let put_two = put(&router, "/inventory", &json!([product("A", json!(7)), product(LENS, json!(9))])).await;
    assert_eq!((put_two.status, put_two.body), (StatusCode::OK, json!({ "upserted": 2 })));
    assert_eq!(
        product_levels(&router).await,
        vec![("66VCHSJNUP", 9), ("A", 7), (MUG, 5)]
            .into_iter()
            .map(|(id, level)| (id.to_owned(), level))
            .collect::<Vec<_>>()
    );
    assert_eq!(get(&router, &format!("/inventory/{LENS}")).await.body["location"], "aisle-3");

    put(&router, "/inventory", &json!([product("A", Value::Null)])).await;
    assert_eq!(get(&router, "/inventory/A").await.body["stockLevel"], 7, "no level leaves the level as it is");

    hold(&shop, "o1", &[(LENS, 3)]).await.unwrap();
    let below = put(&router, "/inventory", &json!([product("B", json!(1)), product(LENS, json!(2))])).await;
    assert_eq!(code(&below), (409, "below_reserved"));
    assert_eq!(below.body["errors"][0]["path"], "[1].stockLevel");
    let freight = put(&router, "/inventory", &json!([product("B", json!(1)), product("FURN-1", json!(2))])).await;
    assert_eq!(code(&freight), (400, "invalid_field"));
    assert_eq!(get(&router, "/inventory/B").await.status, StatusCode::NOT_FOUND);

    assert_eq!(code(&put(&router, "/inventory", &json!([])).await), (400, "invalid_field"));
    let some = |count: usize| json!((0..count).map(|n| product(&format!("N-{n}"), json!(1))).collect::<Vec<_>>());
    assert_eq!(put(&router, "/inventory", &some(500)).await.body, json!({ "upserted": 500 }));
    assert_eq!(put(&router, "/inventory", &some(501)).await.status, StatusCode::BAD_REQUEST);
}

async fn product_levels(router: &Router) -> Vec<(String, i64)> {
    let all = get(router, "/inventory").await.body;
    let level = |item: &Value| (item["productId"].as_str().unwrap().to_owned(), item["stockLevel"].as_i64().unwrap());
    all["data"].as_array().unwrap().iter().map(level).collect()
}

#[tokio::test]
async fn a_change_says_when_it_was() {
    let (_shop, router) = doors().await;
    let before = clock::now_ms();
    put(&router, &format!("/inventory/{LENS}"), &json!({ "stockLevel": 50 })).await;
    let at: events::Timestamp =
        serde_json::from_value(get(&router, &format!("/inventory/{LENS}")).await.body["lastUpdated"].clone()).unwrap();
    assert!(at.as_millisecond() >= before);
}

#[tokio::test]
async fn no_body_breaks_a_door() {
    let (_shop, router) = doors().await;
    let deep = "[".repeat(100_000);
    let paths = ["/inventory", "/inventory/A", "/inventory/A/reserve", "/inventory/A/release", "/reservations"];
    for path in paths {
        let method = if path.ends_with('e') || path.ends_with('s') { Method::POST } else { Method::PUT };
        for body in ["", "null", "{}", "[]", "{", "\u{feff}{}", "[[]]", "[null]", "\"\\ud800\"", "1e999", &deep] {
            let answer = request(&router, method.clone(), path, body.to_owned()).await;
            assert!(answer.status.is_client_error(), "{path} {:.20} {}", body, answer.status);
        }
        let answer = request(&router, method.clone(), path, vec![0xff, 0xfe]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
    let big = format!("\"{}\"", "x".repeat(300_000));
    assert_eq!(request(&router, Method::PUT, "/inventory", big).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(get(&router, "/inventory/%ff").await.status, StatusCode::NOT_FOUND);
}
