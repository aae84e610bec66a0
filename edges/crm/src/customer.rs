//! Customers as they come in and as they are shown.

use events::{CustomerId, FieldError};
use runtime::openapi::line;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::decide::{self, Tier};
use crate::vault::Contents;

/// The longest name accepted, in characters.
const MAX_NAME_CHARS: usize = 100;

/// Whether a customer may order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Standing {
    Good,
    Suspended,
}

impl Standing {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Standing::Good => "good",
            Standing::Suspended => "suspended",
        }
    }
}

/// Whether a customer can be billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BillingAccount {
    Active,
    Closed,
    None,
}

impl BillingAccount {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            BillingAccount::Active => "active",
            BillingAccount::Closed => "closed",
            BillingAccount::None => "none",
        }
    }
}

/// A customer as a client describes them; what is left out has a default, or keeps its value in an import.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewCustomer {
    #[schemars(schema_with = "line::<MAX_NAME_CHARS>")]
    pub(crate) name: String,
    #[schemars(schema_with = "line::<MAX_NAME_CHARS>")]
    pub(crate) surname: String,
    pub(crate) customer_id: Option<CustomerId>,
    /// ISO 3166-1 alpha-2.
    #[schemars(regex(pattern = "^[A-Z]{2}$"))]
    pub(crate) country: Option<String>,
    pub(crate) loyalty_tier: Option<Tier>,
    pub(crate) standing: Option<Standing>,
    pub(crate) billing_account: Option<BillingAccount>,
}

impl NewCustomer {
    /// Checks what the types do not hold; `path` is put before the field's name.
    pub(crate) fn check(&self, path: &str) -> Result<(), FieldError> {
        check_name(&self.name).map_err(|problem| FieldError::new(format!("{path}name"), problem))?;
        check_name(&self.surname).map_err(|problem| FieldError::new(format!("{path}surname"), problem))?;
        if self.customer_id.as_ref().is_some_and(|id| !id.may_be_chosen()) {
            return Err(FieldError::new(format!("{path}customerId"), "has the form of an id that the CRM gives"));
        }
        match &self.country {
            Some(code) if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase()) => {
                Err(FieldError::new(format!("{path}country"), "must be two capital letters (ISO 3166-1 alpha-2)"))
            }
            _ => Ok(()),
        }
    }
}

fn check_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("must not be empty".to_owned());
    }
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(format!("must be at most {MAX_NAME_CHARS} printable characters"));
    }
    Ok(())
}

/// A customer's row.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its place in the order in which customers were added.
    pub(crate) seq: i64,
    pub(crate) sealed_id: String,
    pub(crate) wrapped_key: String,
    pub(crate) contents: Contents,
    pub(crate) granted_tier: Tier,
    pub(crate) standing: String,
    pub(crate) completed_orders: i64,
    pub(crate) spent_minor: i64,
}

impl Row {
    /// The customer as clients see them.
    pub(crate) fn view(self, config: &Config) -> CustomerView {
        let loyalty_tier = decide::tier(self.granted_tier, self.spent_minor, config);
        let Contents { customer_id, name, surname, country } = self.contents;
        CustomerView {
            customer_id,
            sealed_id: None,
            name,
            surname,
            country,
            loyalty_tier,
            standing: self.standing,
            completed_orders: self.completed_orders,
        }
    }

    /// The customer as the other services see them: with the id that may be said and kept.
    pub(crate) fn view_with_seal(self, config: &Config) -> CustomerView {
        let sealed_id = Some(self.sealed_id.clone());
        CustomerView { sealed_id, ..self.view(config) }
    }
}

/// A customer as clients see them.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerView {
    customer_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed_id: Option<String>,
    name: String,
    surname: String,
    country: Option<String>,
    loyalty_tier: Tier,
    standing: String,
    completed_orders: i64,
}

/// How a customer is billed.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BillingProfile {
    pub(crate) customer_id: String,
    pub(crate) sealed_id: String,
    pub(crate) account_status: String,
    pub(crate) currency_code: &'static str,
    pub(crate) tax_region: Option<String>,
}
