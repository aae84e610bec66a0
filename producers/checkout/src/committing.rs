//! Commits an answer with its facts, once for each order and each key, and sees to the holds of an order that is not confirmed.
//!
//! Promises: holds of an order that may have been confirmed are not given back. A commit that failed left nothing behind, but for one whose
//! connection broke: then it is looked up what stands, and what cannot be looked up is left to lapse.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use events::{Event, FieldError, OrderId};
use runtime::{Cause, Problem, clock};
use store::{StoreError, Tx};
use tracing::warn;

use crate::answer::{Answer, told_before};
use crate::holding::HoldIds;
use crate::orders::{self, NewOrder, Order, confirms};
use crate::place::Checkout;
use crate::request::Key;

/// What the transaction found.
enum Written {
    /// Nothing: this answer is the one.
    Now(Answer),
    /// Another request under the same key was first.
    Before(Order),
}

/// Why nothing was written, as far as is known.
enum NotWritten {
    /// The database's word.
    Store(StoreError),
    /// A mistake of ours.
    Problem(Problem),
}

/// Why an order is not shown that may stand.
enum NotStanding {
    /// There is none.
    Nothing,
    /// That is not known.
    Unknown(StoreError),
}

impl Checkout {
    /// The answer given before under a key.
    pub(crate) async fn told(&self, key: &Key) -> Result<Option<Order>, StoreError> {
        let key = key.hash.clone();
        self.transactor.store().read(move |tx| orders::by_key(tx, &key)).await
    }

    /// Commits an answer with its facts, unless one was committed before. Holds without a confirmed order are given back.
    pub(crate) async fn commit(
        &self,
        new: NewOrder,
        facts: Vec<Event>,
        traceparent: String,
        ids: HoldIds,
    ) -> Result<Answer, Problem> {
        let (order_id, key) = (new.order_id.clone(), new.key.clone());
        let cause = Cause::Beginning { traceparent: Some(traceparent) };
        let ran = Arc::new(AtomicBool::new(false));
        let has_run = Arc::clone(&ran);
        let written = self.transactor.run(cause, move |tx| {
            let written = write(tx, new, facts);
            has_run.store(true, Ordering::Relaxed);
            written
        });
        match written.await {
            Ok(Written::Now(answer)) => {
                if !confirms(answer.status_code) {
                    self.holding.release(&ids).await;
                }
                Ok(answer)
            }
            Ok(Written::Before(order)) => self.defer_to(order, &order_id, key.as_ref(), &ids).await,
            // Whatever else a database says, it has undone the transaction, or never begun it.
            Err(NotWritten::Store(error @ StoreError::Unavailable { .. })) if ran.load(Ordering::Relaxed) => {
                Box::pin(self.find_out(error, order_id, key, ids)).await
            }
            Err(error) => {
                self.holding.release(&ids).await;
                Err(error.into())
            }
        }
    }

    /// The connection broke during the commit, so that nobody said whether it happened.
    async fn find_out(
        &self,
        error: StoreError,
        order_id: OrderId,
        key: Option<Key>,
        ids: HoldIds,
    ) -> Result<Answer, Problem> {
        match self.standing(&order_id, key.as_ref()).await {
            Ok(Some(order)) => self.defer_to(order, &order_id, key.as_ref(), &ids).await,
            Ok(None) => {
                self.holding.release(&ids).await;
                Err(error.into())
            }
            Err(cause) => {
                warn!(order.id = %order_id, %cause, "whether the order was committed is not known, its holds are left to lapse");
                Err(error.into())
            }
        }
    }

    /// The answer that stands for an order or under its key.
    ///
    /// It is asked for by writing, and undone: a transaction of ours that the database has not ended yet keeps others from its rows until
    /// it has, and a look would see nothing of it.
    async fn standing(&self, order_id: &OrderId, key: Option<&Key>) -> Result<Option<Order>, StoreError> {
        let probe = NewOrder::probe(order_id.clone(), key.cloned());
        let found = self.transactor.store().write(clock::now_ms(), move |tx| {
            if orders::insert(tx, &probe)? {
                return Err(NotStanding::Nothing);
            }
            Ok(orders::before(tx, &probe)?)
        });
        match found.await {
            Ok(order) => Ok(order),
            Err(NotStanding::Nothing) => Ok(None),
            Err(NotStanding::Unknown(error)) => Err(error),
        }
    }

    /// Gives the answer that was committed first. If it confirms this very order, the holds are its own and stay.
    pub(crate) async fn defer_to(
        &self,
        order: Order,
        order_id: &OrderId,
        key: Option<&Key>,
        ids: &HoldIds,
    ) -> Result<Answer, Problem> {
        let ours = order.order_id == order_id.as_str() && order.status == orders::CONFIRMED;
        if !ours {
            self.holding.release(ids).await;
        }
        match key {
            Some(key) => told_before(order, key),
            None => Ok(order.into()),
        }
    }
}

fn write(tx: &mut Tx<'_>, new: NewOrder, facts: Vec<Event>) -> Result<(Written, Vec<Event>), NotWritten> {
    if orders::insert(tx, &new)? {
        let answer = Answer {
            order_id: new.order_id.as_str().to_owned(),
            customer_id: new.customer_id.as_str().to_owned(),
            status_code: new.status_code,
            body: new.response,
        };
        return Ok((Written::Now(answer), facts));
    }
    let before = orders::before(tx, &new)?;
    let before = before.ok_or_else(|| Problem::internal("a row refused another and is not there"))?;
    Ok((Written::Before(before), Vec::new()))
}

impl From<StoreError> for NotWritten {
    fn from(error: StoreError) -> Self {
        NotWritten::Store(error)
    }
}

impl From<FieldError> for NotWritten {
    fn from(error: FieldError) -> Self {
        NotWritten::Problem(error.into())
    }
}

impl From<Problem> for NotWritten {
    fn from(problem: Problem) -> Self {
        NotWritten::Problem(problem)
    }
}

impl From<NotWritten> for Problem {
    fn from(error: NotWritten) -> Self {
        match error {
            NotWritten::Store(error) => error.into(),
            NotWritten::Problem(problem) => problem,
        }
    }
}

impl From<StoreError> for NotStanding {
    fn from(error: StoreError) -> Self {
        NotStanding::Unknown(error)
    }
}
