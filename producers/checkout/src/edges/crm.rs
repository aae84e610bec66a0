//! The CRM: who the customer is, whether they may order, and their loyalty tier.
//!
//! Required. When it cannot answer the order is refused with 503: without it an order of a suspended customer could pass.

use events::CustomerId;
use runtime::{Deadline, Guard};
use serde::Deserialize;

use super::EdgeDown;
use super::guard::{answered, found};
use crate::decide::Tier;

/// What checkout wants to know of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customer {
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
        answered(self.0.edge(), found(self.0.get(format!("/customers/{id}"), deadline).await))
    }
}
