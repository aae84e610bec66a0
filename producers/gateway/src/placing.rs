//! `POST /v1/orders`: for whom a client may order.

use events::{CustomerId, FieldError};
use runtime::{Problem, body};
use serde::Deserialize;

use crate::admission::Principal;
use crate::owners::for_oneself_only;

/// As much of an order as says for whom it is. A second `customerId` is an error, so that nobody reads another one than this.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Whose {
    customer_id: Option<CustomerId>,
}

/// Makes sure that the order in `bytes` is for the customer that `principal` is, unless it may order for any.
///
/// # Errors
/// 400 for what is no order, 403 for another customer.
pub(crate) fn for_oneself(principal: &Principal, bytes: &[u8]) -> Result<(), Problem> {
    if principal.acts_for_any() {
        return Ok(());
    }
    let Whose { customer_id } = body::decode(bytes)?;
    let customer = customer_id.ok_or_else(|| FieldError::new("customerId", "is missing"))?;
    if principal.customer() == Some(&customer) { Ok(()) } else { Err(for_oneself_only()) }
}
