//! What is said of an order that goes through.

use events::billing::InvoiceRequested;
use events::inventory::StockReserved;
use events::order::OrderConfirmed;
use events::risk::RiskLevel;
use events::{CustomerId, Event, OrderId};

use crate::decide::Quote;
use crate::edges::Hold;

/// An order that goes through.
pub(crate) struct Sold {
    /// Whose, sealed.
    pub customer_id: CustomerId,
    /// What it costs.
    pub quote: Quote,
    /// How risky it is.
    pub risk: Risk,
    /// What is held for it.
    pub held: Vec<Hold>,
}

/// What is known of an order's risk.
pub(crate) struct Risk {
    /// The fraud engine's word.
    pub level: RiskLevel,
    /// Where the goods go, when the risk is unknown: whoever has it scored later needs it.
    pub shipping_country: Option<String>,
    /// Where the bill goes, likewise.
    pub billing_country: Option<String>,
}

impl Sold {
    /// What is said of it, encoded before the transaction begins.
    pub(crate) fn facts(self, order_id: OrderId) -> Vec<Event> {
        let Self { customer_id, quote, risk, held } = self;
        let Risk { level: risk, shipping_country, billing_country } = risk;
        let Quote { lines, discount, total, .. } = quote;
        let invoice = InvoiceRequested {
            order_id: order_id.clone(),
            customer_id: customer_id.clone(),
            lines: lines.clone(),
            discount: discount.clone(),
            total: total.clone(),
        };
        let mut facts = Vec::with_capacity(held.len() + 2);
        let confirmed =
            OrderConfirmed { order_id, customer_id, lines, discount, total, risk, shipping_country, billing_country };
        facts.push(confirmed.into());
        facts.extend(held.into_iter().map(|Hold { order_id, reservation_id, ledger, lines, expires_at }| {
            Event::from(StockReserved { order_id, reservation_id, ledger, lines, expires_at })
        }));
        facts.push(invoice.into());
        facts
    }
}
