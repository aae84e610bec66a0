//! Earns the price of what left the house.
//!
//! Listens to `fulfillment.shipment_dispatched.v1`. Answers with `billing.revenue_recognized.v1`, once per shipment.

use events::billing::RevenueRecognized;
use events::fulfillment::ShipmentDispatched;
use events::states::invoice::Trigger;
use events::{Envelope, Event, Money};
use runtime::{Code, Failure, Reaction};
use store::Tx;

use crate::invoices::{Issued, Status};
use crate::ledger::{self, Account, Kind, Move, Opened};
use crate::{decide, invoices};

/// Earns the price of a shipment.
pub(crate) struct RecognizeRevenue;

impl Reaction for RecognizeRevenue {
    const NAME: &'static str = "recognize-revenue";
    type Event = ShipmentDispatched;

    /// # Errors
    /// [`Failure::Transient`] while the order has no invoice yet; [`Failure::Permanent`] for a shipment of what was not invoiced, or on
    /// an invoice that does not stand.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<ShipmentDispatched>) -> Result<Vec<Event>, Failure> {
        let ShipmentDispatched { order_id, shipment_id, lines, .. } = &event.data;
        let invoice = invoices::invoice(tx, order_id)?
            .ok_or_else(|| Failure::transient(Code::InvoicePending, "the order has no invoice yet"))?;
        let status = invoice.next(Trigger::Earn)?;
        if status != Status::Issued {
            // It left, could not be delivered, and the order was cancelled before this was heard.
            return Ok(Vec::new());
        }
        let Opened::New(opening) = ledger::open(tx, Kind::Revenue, shipment_id.as_str(), Some(order_id.as_str()))?
        else {
            return Ok(Vec::new());
        };
        let Issued { invoice_id, mut books, .. } = invoice.issued()?;
        let earned_minor = decide::recognize(&mut books, lines)
            .map_err(|misfit| Failure::permanent(Code::IllegalState, misfit.to_string()))?;
        let (debit, credit) = (Account::DeferredRevenue, Account::Revenue);
        opening.post(tx, &[Move { debit, credit, amount_minor: earned_minor }])?;
        invoices::keep(tx, order_id, status, &books)?;
        let fact = RevenueRecognized {
            order_id: order_id.clone(),
            invoice_id,
            shipment_id: shipment_id.clone(),
            amount: Money::from_minor(earned_minor),
        };
        Ok(vec![fact.into()])
    }
}
