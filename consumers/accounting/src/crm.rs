//! The calls to the CRM.

use axum::http::Method;
use events::CustomerId;
use runtime::{CallError, Identity, Peer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::config::Config;
use crate::decide::Billing;

/// Customers shown with a list of transactions.
const CUSTOMERS: &str = "/customers?limit=100";

/// The CRM.
#[derive(Clone)]
pub(crate) struct Crm(Peer);

/// A customer as the list of transactions shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Customer {
    name: String,
    surname: String,
}

/// Who cannot be billed is called by their sealed id if that is how they were asked for; else it is not repeated who it was.
fn unbilled(customer_id: &CustomerId) -> CustomerId {
    if customer_id.is_sealed() { customer_id.clone() } else { CustomerId::nobody() }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    account_status: AccountStatus,
    sealed_id: CustomerId,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum AccountStatus {
    Active,
    Closed,
}

impl Crm {
    pub(crate) fn new(config: &Config, identity: &Identity) -> Self {
        Self(identity.peer("crm", &config.crm_url, config.crm_timeout))
    }

    /// Whether a customer can be billed.
    ///
    /// # Errors
    /// [`CallError`]; a customer without a profile is no error.
    pub(crate) async fn billing(&self, customer_id: &CustomerId) -> Result<Billing, CallError> {
        Ok(self.named_billing(customer_id).await?.0)
    }

    /// The same, and what the customer is called in what is kept and said.
    ///
    /// # Errors
    /// As [`Crm::billing`].
    pub(crate) async fn named_billing(&self, customer_id: &CustomerId) -> Result<(Billing, CustomerId), CallError> {
        match self.0.get::<Profile>(&format!("/customers/{customer_id}/billing-profile")).await {
            Ok(Profile { account_status: AccountStatus::Active, sealed_id }) => Ok((Billing::Active, sealed_id)),
            Ok(Profile { account_status: AccountStatus::Closed, sealed_id }) => Ok((Billing::Closed, sealed_id)),
            Err(error) if error.status() == Some(404) => Ok((Billing::Missing, unbilled(customer_id))),
            Err(error) => Err(error),
        }
    }

    /// The first customers; `None` while the CRM is out of reach. Asked once: a list is not worth a long wait.
    pub(crate) async fn customers(&self) -> Option<Vec<Customer>> {
        let answer = self.0.raw(Method::GET, CUSTOMERS, Default::default()).await;
        let customers = match answer {
            Ok((status, body)) if status.is_success() => serde_json::from_slice(&body).ok(),
            _ => None,
        };
        if customers.is_none() {
            warn!("the CRM does not list its customers");
        }
        customers
    }
}
