//! Expects goods back.
//!
//! Listens to `fulfillment.return_requested.v1`. Says nothing until they are here (`POST /returns/{returnId}/received`).

use events::fulfillment::ReturnRequested;
use events::states::returns::MACHINE;
use events::{Envelope, Event, OrderLine};
use runtime::{Code, Failure, Reaction};
use store::Tx;

use crate::reactions::story;
use crate::returns::{self, Return};
use crate::shipment::{Shipment, Status};
use crate::{return_rows, rows};

/// Writes down what is to come back.
pub(crate) struct ExpectReturn;

impl Reaction for ExpectReturn {
    const NAME: &'static str = "expect-return";
    type Event = ReturnRequested;

    /// # Errors
    /// [`Failure::Permanent`] for goods that never arrived, and when the id is that of another return.
    fn handle(&self, tx: &mut Tx<'_>, event: &Envelope<ReturnRequested>) -> Result<Vec<Event>, Failure> {
        let ReturnRequested { order_id, return_id, lines, .. } = &event.data;
        let shipments = rows::of_order(tx, order_id)?;
        let arrived = |line: &OrderLine| {
            let holds = |shipment: &&Shipment| shipment.lines.iter().any(|one| one.product_id == line.product_id);
            shipments.iter().filter(holds).any(|shipment| shipment.status == Status::Delivered)
        };
        if !lines.iter().all(arrived) {
            return Err(Failure::permanent(Code::IllegalState, "what was not delivered cannot come back"));
        }
        let expected = Return {
            return_id: return_id.clone(),
            order_id: order_id.clone(),
            status: MACHINE.initial,
            lines: returns::expected(lines),
            inspection: None,
            requested_at_ms: event.time.as_millisecond(),
            story: story(event),
        };
        if !return_rows::expect(tx, &expected)? {
            let known = return_rows::one(tx, return_id)?;
            let is_it = |known: &Return| known.order_id == expected.order_id && known.lines == expected.lines;
            if !known.as_ref().is_some_and(is_it) {
                return Err(Failure::permanent(Code::IllegalState, "another return has this id"));
            }
        }
        Ok(Vec::new())
    }
}
