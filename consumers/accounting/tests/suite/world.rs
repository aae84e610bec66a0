//! Accounting beside a CRM that answers as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use accounting::{Config, MIGRATIONS, consumer, doors};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use events::billing::InvoiceRequested;
use events::fulfillment::ShipmentDispatched;
use events::order::{CancellationReason, OrderCancelled};
use events::{Ledger, Money, OrderLine, StockLine};
use runtime::server::Server;
use serde_json::{Value, json};
use store::outbox;
use testkit::Scenario;
use tokio::net::TcpListener;

/// What the CRM says about billing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crm {
    Active,
    Closed,
    Missing,
    Down,
    Nonsense,
}

/// What the CRM calls every customer.
pub(crate) const SEALED: &str = "S.00112233445566778899aabbccddeeff";

type Shared = Arc<Mutex<Crm>>;

async fn profile(State(crm): State<Shared>, Path(customer_id): Path<String>) -> Response {
    let status = match *crm.lock().unwrap() {
        Crm::Active => "active",
        Crm::Closed => "closed",
        Crm::Missing => return StatusCode::NOT_FOUND.into_response(),
        Crm::Down => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Crm::Nonsense => "sometimes",
    };
    Json(json!({ "customerId": customer_id, "sealedId": SEALED, "accountStatus": status, "currencyCode": "USD",
                 "taxRegion": null }))
    .into_response()
}

async fn customers(State(crm): State<Shared>) -> Response {
    match *crm.lock().unwrap() {
        Crm::Down => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        _ => Json(json!([{ "name": "John", "surname": "Doe", "customerId": "john-doe" }])).into_response(),
    }
}

/// Accounting, its doors and its CRM.
pub(crate) struct World {
    pub(crate) accounting: Scenario,
    pub(crate) doors: Router,
    pub(crate) config: Config,
    crm: Shared,
    _server: Server,
}

impl World {
    pub(crate) async fn new() -> Self {
        let crm = Arc::new(Mutex::new(Crm::Active));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stub = Router::new()
            .route("/customers", get(customers))
            .route("/customers/{customerId}/billing-profile", get(profile))
            .with_state(Arc::clone(&crm));
        let server = Server::start(listener, stub).unwrap();
        let config = Config {
            crm_url: format!("http://{}", server.address()),
            crm_timeout: Duration::from_millis(300),
            fail: None,
        };
        let accounting = Scenario::new(consumer(&config, &runtime::Identity::open_house()), MIGRATIONS);
        let doors = doors(accounting.transactor(), &config, &runtime::Identity::open_house()).open_house();
        Self { accounting, doors, config, crm, _server: server }
    }

    /// From now on the CRM says this.
    pub(crate) fn crm_says(&self, what: Crm) {
        *self.crm.lock().unwrap() = what;
    }

    /// `GET /invoices/{order}`, or null.
    pub(crate) async fn invoice(&self, order: &str) -> Value {
        let answer = testkit::get(&self.doors, &format!("/invoices/{order}")).await;
        if answer.status == StatusCode::OK { answer.body } else { Value::Null }
    }

    /// Debit less credit of an account, in hundredths and without the sample that every ledger begins with, after checking that the ledger balances in total and in each transaction.
    pub(crate) async fn balance(&self, account: &'static str) -> i64 {
        let unbalanced = "SELECT transaction_id FROM ledger_entries GROUP BY transaction_id
            HAVING SUM(CASE WHEN side = 'debit' THEN amount_minor ELSE -amount_minor END) <> 0";
        let unbalanced = self.accounting.read(move |tx| tx.query(unbalanced, &[], |row| row.get_text(0))).await;
        assert_eq!(unbalanced, [] as [String; 0]);
        let sum = "SELECT COALESCE(SUM(CASE WHEN side = 'debit' THEN amount_minor ELSE -amount_minor END), 0)
            FROM ledger_entries WHERE account = ?1 AND transaction_id <> 'transaction-1-1'";
        let sum = self.accounting.read(move |tx| tx.query_opt(sum, store::params![account], |row| row.get_i64(0)));
        sum.await.unwrap()
    }

    /// Facts in the outbox that were not published.
    pub(crate) async fn unsent(&self) -> i64 {
        self.accounting.read(outbox::unsent_count).await
    }
}

/// Money in hundredths, as JSON.
pub(crate) fn money(minor: i64) -> Value {
    serde_json::to_value(Money::from_minor(minor)).unwrap()
}

fn line(product: &str, quantity: u32, price_minor: i64, ledger: Ledger) -> OrderLine {
    let unit_price = Money::from_minor(price_minor);
    OrderLine { product_id: product.parse().unwrap(), quantity, unit_price, ledger }
}

/// Two cameras at 10.00 and a desk at 299.99, less 5 %: 303.99 to be paid.
pub(crate) fn requested(order: &str) -> InvoiceRequested {
    InvoiceRequested {
        order_id: order.parse().unwrap(),
        customer_id: "john-doe".parse().unwrap(),
        lines: vec![line("CAMERA", 2, 1_000, Ledger::Inventory), line("FURN-1", 1, 29_999, Ledger::Furniture)],
        discount: Money::from_minor(1_600),
        total: Money::from_minor(30_399),
    }
}

/// A shipment of some of it.
pub(crate) fn dispatched(order: &str, shipment: &str, product: &str, quantity: u32) -> ShipmentDispatched {
    ShipmentDispatched {
        order_id: order.parse().unwrap(),
        shipment_id: shipment.parse().unwrap(),
        ledger: Ledger::Inventory,
        lines: vec![StockLine { product_id: product.parse().unwrap(), quantity }],
        carrier: "carrier".to_owned(),
        tracking_number: "T-1".to_owned(),
        attempt: None,
    }
}

pub(crate) fn cancelled(order: &str) -> OrderCancelled {
    OrderCancelled { order_id: order.parse().unwrap(), reason: CancellationReason::ByCustomer }
}
