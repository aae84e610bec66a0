//! One order in memory: what was bought, what is known, and the facts that follow.

use events::billing::RefundRequested;
use events::order::{CancellationReason, OrderCancelled, OrderCompleted, OrderConfirmed, OrderOnHold};
use events::states::order::MACHINE;
use events::{CustomerId, Event, Money, OrderId};
use runtime::{Code, Failure, clock};
use store::{StoreError, Tx};

use crate::claims::Claim;
use crate::decide::{self, Decision, Status};
use crate::facts::{Entry, Facts, Kind};
use crate::room;
use crate::rows;
use crate::waits::Watch;

/// One order.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// What is known.
    pub facts: Facts,
    /// What was bought: the payload of `OrderConfirmed`, as JSON text. Decoded only by those who need it.
    pub contents: Option<String>,
    /// Whose order.
    pub customer_id: Option<CustomerId>,
    /// When the client was told, in milliseconds since the Unix epoch.
    pub placed_at_ms: Option<i64>,
    /// When anything about it changed last, in milliseconds since the Unix epoch.
    pub updated_at_ms: i64,
    /// What the table says it waits for.
    pub watch: Watch,
    /// The status in the table; none while there is no row.
    pub stored: Option<Status>,
    /// Whether the columns written once are to be written now.
    pub opened: bool,
}

impl Order {
    /// What was bought.
    ///
    /// # Errors
    /// [`StoreError::Row`] when the row does not hold what was written.
    pub(crate) fn contents(&self) -> Result<Option<OrderConfirmed>, StoreError> {
        let decode = |text: &str| serde_json::from_str(text).map_err(|error| rows::unreadable("contents", &error));
        self.contents.as_deref().map(decode).transpose()
    }

    /// Says what follows from the set, and writes the row.
    ///
    /// # Errors
    /// Of the database.
    pub(crate) fn proceed(&mut self, tx: &mut Tx<'_>, order_id: &OrderId) -> Result<Vec<Event>, Failure> {
        let mut standing = self.moved(self.stored.unwrap_or(MACHINE.initial))?;
        let decisions = decide::decide(&self.facts);
        let mut said = Vec::with_capacity(decisions.len());
        for decision in decisions {
            said.push(self.say(order_id, &decision)?);
            decide::note(&mut self.facts, &decision, tx.now_ms());
            standing = self.moved(standing)?;
        }
        rows::save(tx, order_id, self)?;
        Ok(said)
    }

    /// Where the order stands now, a step of the table away from `before` at most.
    fn moved(&self, before: Status) -> Result<Status, Failure> {
        let now = decide::status(&self.facts);
        if now != before {
            MACHINE.lead(before, now)?;
        }
        Ok(now)
    }

    fn say(&self, order_id: &OrderId, decision: &Decision) -> Result<Event, Failure> {
        let order_id = order_id.clone();
        Ok(match decision {
            Decision::Cancel(reason) => OrderCancelled { order_id, reason: *reason }.into(),
            Decision::Hold => {
                OrderOnHold { order_id, reason: "the fraud engine scored the order HIGH".to_owned() }.into()
            }
            Decision::Fulfil => {
                let OrderConfirmed { lines, .. } = self.bought()?;
                events::fulfillment::FulfillmentRequested { order_id, lines }.into()
            }
            Decision::Complete => {
                let OrderConfirmed { customer_id, total, .. } = self.bought()?;
                let at_ms = self.facts.latest_ms(Kind::ShipmentDelivered).unwrap_or_default();
                OrderCompleted { order_id, customer_id, total, completed_at: clock::from_ms(at_ms) }.into()
            }
            Decision::Refund(claim) => {
                let Claim { refund_id, shipment_id, amount_minor, .. } = claim.clone();
                let (amount, reason) = (Money::from_minor(amount_minor), claim.reason().to_owned());
                RefundRequested { order_id, refund_id, amount, reason, shipment_id }.into()
            }
        })
    }

    fn bought(&self) -> Result<OrderConfirmed, Failure> {
        let missing = || Failure::permanent(Code::IllegalState, "an order without contents is not shipped");
        self.contents()?.ok_or_else(missing)
    }

    /// Why it was cancelled, if it was.
    pub(crate) fn cancellation_reason(&self) -> Option<CancellationReason> {
        self.facts.reason
    }
}

/// Adds one fact to its order, which begins with it if need be, and says what follows. A fact that was known changes nothing.
///
/// # Errors
/// Of the database; [`Failure::Permanent`] when the order holds as many facts as it may, unless this one settles something that was
/// granted.
pub(crate) fn hear(tx: &mut Tx<'_>, order_id: &OrderId, entry: Entry) -> Result<Vec<Event>, Failure> {
    let mut order = rows::find(tx, order_id)?.unwrap_or_default();
    if !room::is_granted(&order.facts, &entry) {
        refuse_when_full(&order)?;
    }
    if !order.facts.add(entry) {
        return Ok(Vec::new());
    }
    order.proceed(tx, order_id)
}

/// The bound on what one order may gather.
///
/// # Errors
/// [`Failure::Permanent`] at the bound.
pub(crate) fn refuse_when_full(order: &Order) -> Result<(), Failure> {
    if order.facts.is_full() {
        return Err(Failure::permanent(Code::TooManyFacts, "the order holds as many facts as it may"));
    }
    Ok(())
}
