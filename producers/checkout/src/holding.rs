//! The holds of an order: asked for in every ledger side by side, taken up again by the next try under the same key, given back.

use std::sync::Arc;
use std::time::Duration;

use events::id::derived;
use events::{Ledger, OrderId, OrderLine, ReservationId, Timestamp};
use futures::future::join_all;
use runtime::{Deadline, Problem, clock};

use crate::answer::unknown_products;
use crate::decide::{self, Short};
use crate::edges::{EdgeDown, Edges, Hold, NoHold};
use crate::request::Wanted;

/// Holds of one order in one ledger that were given back before an id is taken that nobody can find again: a client that tries under
/// one key for so long must not wait for ever more questions to the ledger.
const MOST_GIVEN_BACK: u32 = 16;
/// How long giving back may take when an order is refused, after its deadline too. What takes longer lapses.
const RELEASE_WITHIN: Duration = Duration::from_secs(1);

/// Holds that may exist.
pub(crate) type HoldIds = Vec<(Ledger, ReservationId)>;

/// Why there are no holds.
pub(crate) enum NoUnits {
    /// A ledger says that lines are short.
    Short(Vec<Short>),
    /// A ledger has no word for it, or none now.
    Refused(Problem),
}

/// Holds units for orders.
pub(crate) struct Holding {
    edges: Arc<Edges>,
    hold_ms: i64,
}

impl Holding {
    /// Holds that last so many minutes, in the ledgers among `edges`.
    pub(crate) fn new(edges: Arc<Edges>, hold_minutes: u32) -> Self {
        Self { edges, hold_ms: i64::from(hold_minutes) * 60_000 }
    }

    /// One hold for each ledger the lines come from, of an order placed then.
    pub(crate) fn holds(&self, order_id: &OrderId, placed_at: Timestamp, lines: &[OrderLine]) -> Vec<Hold> {
        let expires_at = clock::from_ms(placed_at.as_millisecond() + self.hold_ms);
        let of = |ledger: Ledger| {
            let lines: Vec<_> = lines.iter().filter(|line| line.ledger == ledger).map(OrderLine::stock).collect();
            (!lines.is_empty()).then(|| Hold {
                order_id: order_id.clone(),
                reservation_id: reservation_id(order_id, ledger, 0),
                ledger,
                lines,
                expires_at,
            })
        };
        Ledger::ALL.into_iter().filter_map(of).collect()
    }

    /// Asks every ledger for its hold of what is wanted, side by side. Also answers which holds may now exist.
    pub(crate) async fn hold(
        &self,
        wanted: &[Wanted],
        holds: Vec<Hold>,
        deadline: Deadline,
    ) -> (HoldIds, Result<Vec<Hold>, NoUnits>) {
        let line = |ledger: Ledger, index: usize| {
            let mut lines = wanted.iter().filter(|line| decide::owner(&line.product_id).ledger() == ledger);
            lines.nth(index)
        };
        let (mut ids, mut held, mut short) = (Vec::new(), Vec::new(), Vec::new());
        let mut refused = None;
        for (ledger, id, answer) in join_all(holds.into_iter().map(|hold| self.hold_one(hold, deadline))).await {
            ids.push((ledger, id));
            match answer {
                Ok(hold) => held.push(hold),
                Err(NoHold::OutOfStock(lines)) => short.extend(lines.into_iter().map(|(index, problem)| {
                    // A ledger that numbers lines it was not asked for still said no.
                    let position = line(ledger, index).map_or(index, |line| line.position);
                    Short { position, problem }
                })),
                Err(NoHold::UnknownProduct) => refused = Some(unknown_products(&[])),
                Err(NoHold::Released) => refused = Some(EdgeDown(ledger.as_str()).into()),
                Err(NoHold::Down(down)) => refused = Some(down.into()),
            }
        }
        let held = match refused {
            Some(problem) => Err(NoUnits::Refused(problem)),
            None if held.len() < ids.len() => Err(NoUnits::Short(short)),
            None => Ok(held),
        };
        (ids, held)
    }

    /// A hold of an earlier try under the same key serves as long as half of its time is left; otherwise it is given back, and the
    /// order holds anew under the next id. Ids follow each other in the same way in every try, so that a hold which a crash left
    /// behind is found and not made a second time.
    async fn hold_one(&self, mut hold: Hold, deadline: Deadline) -> (Ledger, ReservationId, Result<Hold, NoHold>) {
        let ledger = self.edges.ledger(hold.ledger);
        let usable_from = clock::from_ms(hold.expires_at.as_millisecond() - self.hold_ms / 2);
        let mut given_back = 0;
        let answer = loop {
            let answer = ledger.hold(&hold, deadline).await;
            match &answer {
                _ if given_back == MOST_GIVEN_BACK => break answer,
                Ok(expires_at) if *expires_at < usable_from => ledger.release(&hold.reservation_id, deadline).await,
                Err(NoHold::Released) => {}
                _ => break answer,
            }
            given_back += 1;
            hold.reservation_id = if given_back == MOST_GIVEN_BACK {
                ReservationId::from_uuid(clock::new_id())
            } else {
                reservation_id(&hold.order_id, hold.ledger, given_back)
            };
        };
        let held = answer.map(|expires_at| {
            hold.expires_at = expires_at;
        });
        (hold.ledger, hold.reservation_id.clone(), held.map(|()| hold))
    }

    /// Gives holds back, as far as that is possible at once.
    pub(crate) async fn release(&self, ids: &[(Ledger, ReservationId)]) {
        let deadline = Deadline::after(RELEASE_WITHIN);
        join_all(ids.iter().map(|(ledger, id)| self.edges.ledger(*ledger).release(id, deadline))).await;
    }
}

/// The same order holds the same units once in each ledger, however often it asks, until it gives them back.
fn reservation_id(order_id: &OrderId, ledger: Ledger, given_back: u32) -> ReservationId {
    let name = match given_back {
        0 => format!("{order_id}/{ledger}"),
        times => format!("{order_id}/{ledger}/{times}"),
    };
    ReservationId::from_uuid(derived("reservation", &name))
}
