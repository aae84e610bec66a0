//! Opens a scoring for an order that was confirmed without the fraud engine's word.
//!
//! Listens to `order.confirmed.v1`. Says nothing yet: the answer is said once the engine gives it.

use ::store::Tx;
use events::order::OrderConfirmed;
use events::risk::RiskLevel;
use events::{Envelope, Event};
use runtime::{Code, Failure, Reaction};

use crate::scoring::Question;
use crate::store;

/// Opens a scoring.
pub(crate) struct OpenScoring;

impl Reaction for OpenScoring {
    const NAME: &'static str = "open-scoring";
    type Event = OrderConfirmed;

    /// # Errors
    /// [`Failure::Permanent`] for a total that does not fit.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<OrderConfirmed>) -> Result<Vec<Event>, Failure> {
        let OrderConfirmed { order_id, customer_id, lines, total, risk, .. } = &event.data;
        if *risk != RiskLevel::Unknown {
            return Ok(Vec::new());
        }
        let amount_minor = total.minor().map_err(|error| Failure::permanent(Code::InvalidFact, error.to_string()))?;
        let question = Question {
            order_id: order_id.clone(),
            customer_id: customer_id.clone(),
            amount_minor,
            line_count: i64::try_from(lines.len()).unwrap_or(i64::MAX),
            shipping_country: event.data.shipping_country.clone(),
            billing_country: event.data.billing_country.clone(),
            placed_at_ms: event.time.as_millisecond(),
            event_id: event.id.clone(),
            correlation_id: event.correlation_id.clone(),
            traceparent: event.traceparent.clone(),
            attempts: 0,
        };
        store::open(tx, &question)?;
        Ok(Vec::new())
    }
}
