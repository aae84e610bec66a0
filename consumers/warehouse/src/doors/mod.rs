//! The REST doors: the same commands as the events, and a look at shipments.

mod look;
mod receive;
mod ship;
mod stop;
mod track;

use events::OrderId;
use runtime::Caller::{Gateway, Oms, Operator};
use runtime::{Door, Identity, Problem, Transactor};

use crate::config::{Config, Delays};
use crate::locations::Ledgers;

/// What the doors stand on.
#[derive(Clone)]
pub(crate) struct Doors {
    transactor: Transactor,
    ledgers: Ledgers,
    delays: Delays,
}

/// The REST doors; the ledgers are called as `identity`.
pub fn doors(transactor: Transactor, config: &Config, identity: &Identity) -> runtime::Doors {
    let stand = Doors { transactor, ledgers: Ledgers::new(config, identity), delays: config.delays };
    const SHIP: Door = Door::of("Ships an order").to(&[Oms, Operator]).described(|it| {
        it.refuses(409, "nothing is shipped for the order any more")
            .refuses(422, "no ledger knows where some products lie")
    });
    const STOP: Door = Door::of("Stops an order's shipments")
        .to(&[Oms, Operator])
        .described(|it| it.refuses(409, "the goods are on their way"));
    const TRACK: Door = Door::of("What the carrier says").to(&[Operator]).described(|it| {
        it.refuses(409, "another report has this reference, it contradicts what is known, or there are too many")
            .refuses(422, "no delivery of the shipment has that number")
    });
    const RECEIVE: Door = Door::of("Goods have come back").to(&[Operator]).described(|it| {
        it.may_take::<receive::Inspection>()
            .refuses(409, "the return was received with another outcome, or is no longer expected")
    });
    runtime::Doors::new()
        .get("/shipments", look::list, Door::of("Lists shipments, page by page").to(&[Gateway, Operator]))
        .post("/shipments", ship::ship, SHIP)
        .get("/shipments/{shipmentId}", look::one, Door::of("One shipment").to(&[Gateway, Operator]))
        .post("/orders/{orderId}/stop", stop::stop, STOP)
        .post("/shipments/{shipmentId}/tracking", track::track, TRACK)
        .get("/returns", receive::list, Door::of("Lists returns, page by page").to(&[Operator]))
        .get("/returns/{returnId}", receive::one, Door::of("One return").to(&[Operator]))
        .post("/returns/{returnId}/received", receive::receive, RECEIVE)
        .with_state(stand)
}

/// The id in a path. A text that is no id names no order.
fn order_id(text: &str) -> Result<OrderId, Problem> {
    text.parse().map_err(|_| Problem::not_found("order"))
}
