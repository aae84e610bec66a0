//! The CRM: who the customer is, whether they may order, and their loyalty tier.
//!
//! Required. When it cannot answer the order is refused with 503: without it an order of a suspended customer could pass.

use events::CustomerId;
use runtime::{Deadline, Guard};
use serde::Deserialize;
use tracing::warn;

use super::EdgeDown;
use super::guard::{answered, found};
use crate::decide::Tier;

/// What checkout wants to know of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customer {
    /// What the customer is called in everything that is said and kept. It means nothing to anybody but the CRM.
    pub sealed_id: CustomerId,
    loyalty_tier: String,
    standing: String,
    /// ISO 3166-1 alpha-2 country of the billing address.
    pub country: Option<String>,
}

impl Customer {
    /// Whether they may order.
    pub(crate) fn in_good_standing(&self) -> bool {
        self.standing == "good"
    }

    /// Their tier; one we do not know counts as standard.
    pub(crate) fn tier(&self) -> Tier {
        match self.loyalty_tier.as_str() {
            "silver" => Tier::Silver,
            "gold" => Tier::Gold,
            _ => Tier::Standard,
        }
    }
}

/// The CRM.
pub(crate) struct Crm(pub Guard);

impl Crm {
    /// A customer, or `None` when there is no such one.
    pub(crate) async fn customer(&self, id: &CustomerId, deadline: Deadline) -> Result<Option<Customer>, EdgeDown> {
        let customer = found(self.0.get::<Customer>(format!("/customers/{id}"), deadline).await);
        match answered(self.0.edge(), customer)? {
            // A clear id in an event could never be taken back.
            Some(customer) if !customer.sealed_id.is_sealed() => {
                warn!(edge = self.0.edge(), "the CRM gave an id that is not sealed");
                Err(EdgeDown(self.0.edge()))
            }
            customer => Ok(customer),
        }
    }
}
