//! A consumer with a table of its own, and ways to make it fail.

use events::billing::{InvoiceIssued, InvoiceRequested};
use events::order::{CancellationReason, OrderCancelled};
use events::{Envelope, Event, InvoiceId, Money, OrderId};
use runtime::{Code, Consumer, Failure, Reaction};
use store::{Migration, Tx, params};
use testkit::Scenario;

pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "effects",
    sql: "CREATE TABLE effects (order_id TEXT NOT NULL, at_ms BIGINT NOT NULL)",
}];

/// Writes one row and says one fact, or fails as the order's id asks for.
pub struct Invoice;

impl Reaction for Invoice {
    const NAME: &'static str = "invoice";
    type Event = OrderCancelled;

    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<OrderCancelled>) -> Result<Vec<Event>, Failure> {
        let order_id = &event.data.order_id;
        tx.execute("INSERT INTO effects (order_id, at_ms) VALUES (?1, ?2)", params![order_id.as_str(), tx.now_ms()])?;
        match order_id.as_str() {
            "later" => Err(Failure::transient(Code::ChangedMeanwhile, "order later is not there yet")),
            "never" => Err(Failure::permanent(Code::IllegalState, "order never 17 cannot be invoiced")),
            "panics" => panic!("the reaction has a bug"),
            "unfit" => Ok(vec![unfit(order_id).into()]),
            _ => Ok(vec![issued(order_id).into()]),
        }
    }
}

pub fn issued(order_id: &OrderId) -> InvoiceIssued {
    let invoice_id: InvoiceId = "INV-1".parse().unwrap();
    InvoiceIssued { order_id: order_id.clone(), invoice_id, total: Money::from_minor(1_250) }
}

/// A fact out of its own bounds: an invoice request without lines.
fn unfit(order_id: &OrderId) -> InvoiceRequested {
    InvoiceRequested {
        order_id: order_id.clone(),
        customer_id: "C1".parse().unwrap(),
        lines: vec![],
        discount: Money::zero(),
        total: Money::zero(),
    }
}

pub fn cancelled(order_id: &str) -> OrderCancelled {
    OrderCancelled { order_id: order_id.parse().unwrap(), reason: CancellationReason::ByCustomer }
}

pub fn scenario() -> Scenario {
    Scenario::new(Consumer::new("accounting").on(Invoice), MIGRATIONS)
}

pub async fn effects(scenario: &Scenario) -> i64 {
    let count = |tx: &mut Tx<'_>| tx.query("SELECT COUNT(*) FROM effects", &[], |row| row.get_i64(0));
    scenario.read(count).await[0]
}
