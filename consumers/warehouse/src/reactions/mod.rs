//! What the warehouse does about each event.

mod call_off_shipments;
mod expect_return;
mod ship_order;

use events::Envelope;
use runtime::{Consumer, Identity, NoteMinute};

use self::call_off_shipments::CallOffShipments;
use self::expect_return::ExpectReturn;
use self::ship_order::ShipOrder;
use crate::config::Config;
use crate::locations::Ledgers;
use crate::shipment::Story;

/// The consumer `warehouse`; the ledgers are called as `identity`.
#[must_use]
pub fn consumer(config: &Config, identity: &Identity) -> Consumer {
    Consumer::new(crate::service::NAME)
        .on_asking(ShipOrder { ledgers: Ledgers::new(config, identity), delays: config.delays })
        .on(CallOffShipments)
        .on(ExpectReturn)
        .on(NoteMinute)
}

/// The story an event belongs to.
fn story<E>(event: &Envelope<E>) -> Story {
    Story {
        cause_id: Some(event.id.clone()),
        correlation_id: Some(event.correlation_id.clone()),
        traceparent: event.traceparent.clone(),
    }
}
