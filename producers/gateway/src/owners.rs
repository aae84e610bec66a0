//! Whose an order is: a customer sees and touches their own orders, and learns nothing of others, not even that they are there.
//!
//! A customer has two ids: the one they know, and the sealed one that the CRM made of it and services and events use. Both are theirs.
//! Who is forgotten and comes back gets another sealed id, so what the CRM said is believed for a while only.

use std::time::Duration;

use axum::http::StatusCode;
use events::{CustomerId, OrderId};
use runtime::Problem;
use runtime::clock::Stopwatch;
use serde::Deserialize;

use crate::admission::Principal;
use crate::peers::{Part, Peers};
use crate::remembered::Remembered;

/// Sealed ids and owners remembered, at most twice as many of each: some 20 MB.
const REMEMBERED: usize = 32_768;
/// How long a sealed id is believed without asking again.
const SEALED_FOR: Duration = Duration::from_secs(60);

/// What is known of customers and orders.
pub(crate) struct Owners {
    sealed: Remembered<CustomerId, Learned>,
    /// An order stays whose it is.
    orders: Remembered<OrderId, CustomerId>,
}

/// A sealed id, and since when it is known.
#[derive(Clone)]
struct Learned {
    id: CustomerId,
    age: Stopwatch,
}

/// As much of an order as says whose it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owned {
    /// `null` while OMS has heard facts but not the confirmation.
    customer_id: Option<CustomerId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sealed {
    sealed_id: Option<CustomerId>,
}

impl Owners {
    pub(crate) fn new() -> Self {
        Self { sealed: Remembered::new(REMEMBERED), orders: Remembered::new(REMEMBERED) }
    }

    /// Whether `principal` may see and touch the order.
    ///
    /// # Errors
    /// 404 when there is no such order, or not for them; 503 when nobody can say.
    pub(crate) async fn admit(&self, peers: &Peers, principal: &Principal, order: &OrderId) -> Result<(), Problem> {
        if principal.acts_for_any() {
            return Ok(());
        }
        let Some(customer) = principal.customer() else { return Err(Problem::not_found("order")) };
        // Before the order is looked for: whether this fails must not depend on whether the order is there.
        let sealed = self.known_as(peers, customer).await?;
        let owner = match self.orders.find(order) {
            Some(owner) => owner,
            None => self.owner(peers, order).await?,
        };
        if owner == *customer || owner == sealed { Ok(()) } else { Err(Problem::not_found("order")) }
    }

    /// The id by which services know `customer`: the sealed one, or the one given when there is none.
    ///
    /// # Errors
    /// 503 when the CRM cannot be asked.
    pub(crate) async fn known_as(&self, peers: &Peers, customer: &CustomerId) -> Result<CustomerId, Problem> {
        Ok(self.sealed(peers, customer).await?.unwrap_or_else(|| customer.clone()))
    }

    async fn sealed(&self, peers: &Peers, customer: &CustomerId) -> Result<Option<CustomerId>, Problem> {
        if let Some(Learned { id, age }) = self.sealed.find(customer)
            && age.elapsed() < SEALED_FOR
        {
            return Ok(Some(id));
        }
        let age = Stopwatch::start();
        match peers.part::<Sealed>(&peers.crm, &format!("/customers/{customer}")).await {
            Part::Is(Sealed { sealed_id }) => {
                if let Some(id) = &sealed_id {
                    self.sealed.keep(customer.clone(), Learned { id: id.clone(), age });
                }
                Ok(sealed_id)
            }
            Part::Unknown => Ok(None),
            Part::Down => Err(nobody_can_say()),
        }
    }

    /// OMS knows, or checkout while OMS has not heard of the order.
    async fn owner(&self, peers: &Peers, order: &OrderId) -> Result<CustomerId, Problem> {
        let path = format!("/orders/{order}");
        let at_oms = peers.part::<Owned>(&peers.oms, &path).await;
        let owner = match at_oms {
            Part::Is(Owned { customer_id: Some(owner) }) => owner,
            _ => match peers.part::<Owned>(&peers.checkout, &path).await {
                Part::Is(Owned { customer_id: Some(owner) }) => owner,
                Part::Is(_) | Part::Unknown => return Err(Problem::not_found("order")),
                Part::Down => return Err(nobody_can_say()),
            },
        };
        self.orders.keep(order.clone(), owner.clone());
        Ok(owner)
    }

    /// That there is such an order, for those who may see all.
    ///
    /// # Errors
    /// As [`Owners::admit`].
    pub(crate) async fn exists(&self, peers: &Peers, order: &OrderId) -> Result<(), Problem> {
        match self.orders.find(order) {
            Some(_) => Ok(()),
            None => self.owner(peers, order).await.map(|_| ()),
        }
    }
}

/// 403: for oneself only. That says nothing of the other customer, who may not even be there.
pub(crate) fn for_oneself_only() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "another_customer",
        "the token is another customer's, and does not have the scope orders:any",
    )
}

fn nobody_can_say() -> Problem {
    Problem::unavailable("service_unavailable", "nobody can say now, try again")
}
