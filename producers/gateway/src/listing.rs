//! `GET /v1/orders`: which orders a client asks for, and which of these they may see.

use events::CustomerId;
use runtime::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::admission::Principal;
use crate::owners::{Owners, for_oneself_only};
use crate::peers::Peers;

/// The longest word in a query: the names of statuses, numbers.
const MAX_WORD_CHARS: usize = 64;

/// The query. What is in it is checked here only as far as it becomes part of another; OMS checks the rest.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Listing {
    /// Only orders in this status.
    #[schemars(with = "Option<events::states::order::State>")]
    status: Option<String>,
    /// Only this customer's. Without the scope `orders:any` it is oneself in any case.
    customer_id: Option<CustomerId>,
    /// Orders on the page, 1 to 500; 100 unless told.
    #[schemars(with = "Option<u32>", range(min = 1, max = 500))]
    limit: Option<String>,
    /// `next` of the page before.
    #[schemars(regex(pattern = "^[A-Za-z0-9._-]{1,64}$"))]
    after: Option<String>,
}

/// A page of orders.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Orders {
    /// The orders, by id.
    orders: Vec<serde_json::Map<String, Value>>,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Listing {
    /// The path at OMS for what `principal` may see of it.
    ///
    /// # Errors
    /// 403 for another customer's orders, 503 when the CRM cannot say who the customer is.
    pub(crate) async fn path(self, peers: &Peers, owners: &Owners, principal: &Principal) -> Result<String, Problem> {
        let customer = match (principal.acts_for_any(), self.customer_id, principal.customer()) {
            (true, None, _) => None,
            (true, Some(customer), _) => Some(owners.known_as(peers, &customer).await?),
            (false, _, None) => return Err(for_oneself_only()),
            (false, asked, Some(own)) => {
                let known_as = owners.known_as(peers, own).await?;
                if asked.is_some_and(|asked| asked != *own && asked != known_as) {
                    return Err(for_oneself_only());
                }
                Some(known_as)
            }
        };
        let customer = customer.map(|customer| customer.to_string());
        let mut path = "/orders".to_owned();
        let parts = [("status", self.status), ("customerId", customer), ("limit", self.limit), ("after", self.after)];
        for (name, value) in parts {
            let Some(value) = value else { continue };
            let separator = if path.contains('?') { '&' } else { '?' };
            path.push_str(&format!("{separator}{name}={}", word(&value, name)?));
        }
        Ok(path)
    }
}

/// A value that is the same inside a query.
fn word<'a>(text: &'a str, name: &str) -> Result<&'a str, Problem> {
    let fits = (1..=MAX_WORD_CHARS).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if fits { Ok(text) } else { Err(events::FieldError::new(name, "is none").into()) }
}
