//! The README's table of failures, row by row: whoever changes the one without the other sees this fail.
#![allow(clippy::unwrap_used, reason = "a test may panic, also in the functions it calls")]

mod support;

use std::collections::BTreeSet;

use checkout::Config;
use futures::{StreamExt, stream};
use support::{Answer, Fault, Shop, order};

const README: &str = include_str!("../README.md");
/// The head of the table.
const HEAD: &str = "| edge | failure | the client is told | the order | its holds | the client |";
const EDGES: [&str; 5] = ["crm", "inventory", "furniture", "food", "fraud-engine"];
const KINDS: [&str; 8] =
    ["connection refused", "timeout", "500", "429", "nonsense body", "oversized body", "breaker open", "bulkhead full"];
/// Kinds that a ledger can show when it answered for its catalogue and is to hold units. The others are the same code.
const WHILE_HOLDING: [&str; 5] = ["timeout", "500", "429", "nonsense body", "oversized body"];
/// Cells tried at a time.
const AT_ONCE: usize = 6;

/// One edge failing in one way, and what the table says of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    edge: &'static str,
    while_holding: bool,
    kind: &'static str,
    told: String,
    order: String,
    holds: String,
}

/// Every row of the table, taken apart into edges and kinds.
fn cells() -> Vec<Cell> {
    let table = README.lines().skip_while(|line| *line != HEAD).skip(2).take_while(|line| line.starts_with('|'));
    let mut cells = Vec::new();
    for line in table {
        let columns: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [edges, kinds, told, order, holds, _] = columns[..] else { panic!("{line} has not six columns") };
        let (edges, while_holding) = match edges.strip_suffix(", while holding") {
            Some(edges) => (edges, true),
            None => (edges, false),
        };
        for edge in edges.split(", ") {
            for kind in kinds.split(", ") {
                cells.push(Cell {
                    edge: EDGES.into_iter().find(|known| *known == edge).unwrap_or_else(|| panic!("edge {edge}")),
                    while_holding,
                    kind: KINDS.into_iter().find(|known| *known == kind).unwrap_or_else(|| panic!("kind {kind}")),
                    told: told.replace('`', ""),
                    order: order.to_owned(),
                    holds: holds.to_owned(),
                });
            }
        }
    }
    cells
}

#[test]
fn the_table_tells_of_every_edge_and_every_kind_once() {
    let cells = cells();
    let named: BTreeSet<_> = cells.iter().map(|cell| (cell.edge, cell.while_holding, cell.kind)).collect();
    assert_eq!(named.len(), cells.len(), "a cell is told twice");
    let all = EDGES.into_iter().flat_map(|edge| KINDS.map(|kind| (edge, false, kind)));
    let holding = ["inventory", "furniture"].into_iter().flat_map(|edge| WHILE_HOLDING.map(|kind| (edge, true, kind)));
    assert_eq!(named, all.chain(holding).collect());
}

#[tokio::test]
async fn every_failure_means_for_the_order_what_the_table_says() {
    let cells = stream::iter(cells()).map(|cell| async move {
        let shop = Shop::open_with(|config| settings(&cell, config)).await;
        let answer = fail(&shop, &cell).await;
        check(&shop, &cell, &answer);
    });
    let tried = cells.buffer_unordered(AT_ONCE).count().await;
    assert!(tried >= EDGES.len() * KINDS.len(), "{tried}");
}

/// Settings under which the kind of failure can be brought about, and nothing else fails on a busy machine.
fn settings(cell: &Cell, config: &mut Config) {
    let ms = if cell.kind == "timeout" { 1_000 } else { 20_000 };
    (config.edge_timeout_ms, config.edge_try_timeout_ms, config.fraud_timeout_ms) = (20_000, 20_000, 20_000);
    config.order_timeout_ms = 60_000;
    match cell.edge {
        "fraud-engine" => config.fraud_timeout_ms = ms,
        _ => (config.edge_timeout_ms, config.edge_try_timeout_ms) = (ms, ms),
    }
    match cell.kind {
        "breaker open" => {
            config.breaker_minimum_calls = 4;
            config.breaker_open_ms = 600_000;
            config.edge_tries = 1;
        }
        "bulkhead full" => {
            (config.edge_calls, config.fraud_calls, config.edge_waiting) = (1, 1, 0);
        }
        "connection refused" => {
            let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let url = match cell.edge {
                "crm" => &mut config.crm_url,
                "inventory" => &mut config.inventory_url,
                "furniture" => &mut config.furniture_url,
                "food" => &mut config.food_url,
                _ => &mut config.fraud_engine_url,
            };
            *url = format!("http://{nobody}");
        }
        _ => {}
    }
}

async fn place(shop: &Shop) -> Answer {
    shop.place(&order(&[("OLJCESPC7Z", 1), ("FURN-1", 1), ("FOOD-1", 1)])).await
}

/// Brings the failure about and places an order.
async fn fail(shop: &Shop, cell: &Cell) -> Answer {
    let fault = match cell.kind {
        "timeout" => Fault::Silent,
        "500" => Fault::Broken,
        "429" => Fault::Busy,
        "nonsense body" => Fault::Garbled,
        "oversized body" => Fault::Huge,
        "breaker open" => return behind_an_open_breaker(shop, cell.edge).await,
        "bulkhead full" => return at_a_full_bulkhead(shop, cell.edge).await,
        _ => return place(shop).await,
    };
    if cell.while_holding {
        shop.edges().faults_while_holding.insert(cell.edge, fault);
    } else {
        shop.fault(cell.edge, fault);
    }
    place(shop).await
}

fn calls_of(shop: &Shop, edge: &str) -> usize {
    shop.edges().calls.iter().filter(|call| call.contains(&format!(" {edge}/"))).count()
}

async fn behind_an_open_breaker(shop: &Shop, edge: &'static str) -> Answer {
    shop.fault(edge, Fault::Broken);
    for _ in 0..4 {
        place(shop).await;
    }
    let state = shop.metrics.value("boutique_edge_breaker_state", &[("edge", edge)]);
    assert!((state - 2.0).abs() < f64::EPSILON, "the breaker of {edge} is open: {state}");
    recover(shop);
    let before = calls_of(shop, edge);
    let answer = place(shop).await;
    assert_eq!(calls_of(shop, edge), before, "{edge} is well again, and left alone");
    answer
}

/// Nothing fails any more, and what the orders before held is not what the next one does.
fn recover(shop: &Shop) {
    let mut edges = shop.edges();
    edges.faults.clear();
    edges.holds.clear();
    edges.released.clear();
}

async fn at_a_full_bulkhead(shop: &Shop, edge: &'static str) -> Answer {
    shop.fault(edge, Fault::Silent);
    let router = shop.router.clone();
    let first = tokio::spawn(async move {
        let body = order(&[("OLJCESPC7Z", 1), ("FURN-1", 1), ("FOOD-1", 1)]).to_string();
        let request = axum::http::Request::post("/orders").body(axum::body::Body::from(body)).unwrap();
        tower::ServiceExt::oneshot(router, request).await
    });
    while calls_of(shop, edge) == 0 || busy_elsewhere(shop, edge) {
        tokio::task::yield_now().await;
    }
    shop.edges().faults.clear();
    let holds_before: BTreeSet<String> = shop.edges().holds.keys().cloned().collect();
    let answer = place(shop).await;
    shop.edges().holds.retain(|id, _| !holds_before.contains(id));
    first.abort();
    answer
}

/// The first order has come to rest at the edge that hangs: every other place is free again.
fn busy_elsewhere(shop: &Shop, hangs: &str) -> bool {
    let in_use = |edge: &'static str| shop.metrics.value("boutique_edge_bulkhead_in_use", &[("edge", edge)]) > 0.5;
    EDGES.into_iter().any(|edge| edge != hangs && in_use(edge))
}

fn check(shop: &Shop, cell: &Cell, answer: &Answer) {
    let told = match answer.body["code"].as_str() {
        Some(code) => format!("{} {code}", answer.status),
        None => answer.status.to_string(),
    };
    assert_eq!(told, cell.told, "{cell:?}: {}", answer.body);
    let order = match answer.body["risk"].as_str() {
        Some(risk) => format!("confirmed with risk {risk}"),
        None => "none".to_owned(),
    };
    assert_eq!(order, cell.order, "{cell:?}");
    if told.starts_with("503") {
        assert_eq!(answer.headers["retry-after"], "1", "{cell:?}");
    }
    let (held, released) = (shop.held(), shop.edges().released.len());
    let holds = match (held, released) {
        (0, 0) => "none are made",
        (0, _) => "given back",
        _ => "kept",
    };
    assert!(cell.holds.starts_with(holds), "{cell:?}: {held} held, {released} given back");
}
