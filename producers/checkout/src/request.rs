//! What a client asks for, read strictly: types, bounds, and the same product named twice made one line.

use std::collections::HashMap;

use events::id::derived;
use events::line::{MAX_LINES, MAX_QUANTITY};
use events::money::SHOP_CURRENCY;
use events::{CustomerId, FieldError, OrderId, ProductId};
use runtime::{Problem, body, clock};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::signals::Signals;

/// The longest idempotency key accepted, in characters.
pub(crate) const MAX_KEY_CHARS: usize = 128;

/// The body of `POST /orders`. Unknown members are ignored; members of another type are refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Body {
    customer_id: CustomerId,
    #[schemars(length(min = 1, max = MAX_LINES))]
    lines: Vec<BodyLine>,
    /// The shop trades in `USD`.
    currency_code: Option<String>,
    /// ISO 3166-1 alpha-2; the customer's own country without it.
    #[schemars(regex(pattern = "^[A-Z]{2}$"))]
    shipping_country: Option<String>,
    /// For the fraud engine: the same for the same device.
    #[schemars(regex(pattern = "^[!-~]{1,128}$"))]
    device_id: Option<String>,
    /// For the fraud engine: the same for the same delivery address, such as a hash of it.
    #[schemars(regex(pattern = "^[!-~]{1,128}$"))]
    address_hash: Option<String>,
    /// For the fraud engine: hour of the day where the customer is.
    #[schemars(range(max = 23))]
    local_hour: Option<u8>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct BodyLine {
    product_id: ProductId,
    #[schemars(range(min = 1, max = MAX_QUANTITY))]
    quantity: u32,
}

/// A product and how many units of it are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// What.
    pub product_id: ProductId,
    /// Units, 1..=10,000.
    pub quantity: u32,
    /// Which line of the client's body names it first; what errors point at.
    pub position: usize,
}

/// An order as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Basket {
    /// Who.
    pub customer_id: CustomerId,
    /// What, each product once, 1..=100 lines.
    pub lines: Vec<Wanted>,
    /// ISO 3166-1 alpha-2 country the goods go to.
    pub shipping_country: Option<String>,
    /// What the fraud engine is told besides. Not part of what an idempotency key stands for.
    pub signals: Signals,
}

/// An idempotency key with what it was used for. Neither the client's text nor what it was used for can be read from it: both are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// Of the customer, as the client names them, and what the client sent: two customers may hit upon the same key.
    pub hash: String,
    /// Of key, customer and basket: the same for the same basket under the same key, however its JSON is laid out. Without the key, which
    /// is not kept, nobody can try out which customer it fits.
    pub fingerprint: String,
}

impl Basket {
    /// Reads a body.
    ///
    /// # Errors
    /// 400 with the path of the field at fault; 422 for a currency the shop does not trade in.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let body: Body = body::decode(bytes)?;
        if !(1..=MAX_LINES).contains(&body.lines.len()) {
            return Err(FieldError::new("lines", format!("must hold 1 to {MAX_LINES} lines")).into());
        }
        if let Some(country) = &body.shipping_country
            && !(country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()))
        {
            return Err(FieldError::new("shippingCountry", "must be two capital letters (ISO 3166-1)").into());
        }
        let lines = merge(body.lines)?;
        if body.currency_code.is_some_and(|code| code != SHOP_CURRENCY) {
            return Err(Problem::unprocessable(
                "unsupported_currency",
                format!("the shop trades in {SHOP_CURRENCY} only"),
            ));
        }
        let signals = Signals::new(body.device_id.as_deref(), body.address_hash.as_deref(), body.local_hour)?;
        Ok(Self { customer_id: body.customer_id, lines, shipping_country: body.shipping_country, signals })
    }

    fn fingerprint(&self, key: &str) -> String {
        let mut text = format!("{key}|{}|{}", self.customer_id, self.shipping_country.as_deref().unwrap_or_default());
        for line in &self.lines {
            text.push_str(&format!("|{}*{}", line.product_id, line.quantity));
        }
        derived("checkout-request", &text).to_string()
    }
}

impl Key {
    /// Reads the header's value.
    ///
    /// # Errors
    /// 400 when it is not 1 to 128 visible ASCII characters.
    pub(crate) fn parse(value: &[u8], basket: &Basket) -> Result<Self, Problem> {
        let text = std::str::from_utf8(value)
            .ok()
            .filter(|text| (1..=MAX_KEY_CHARS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()));
        let Some(text) = text else {
            let problem = format!("must be 1 to {MAX_KEY_CHARS} visible ASCII characters");
            return Err(FieldError::new("Idempotency-Key", problem).into());
        };
        // No customer's id has this character, so that nobody's id and key together read like somebody else's.
        let whose = format!("{}|{text}", basket.customer_id);
        Ok(Self { hash: derived("checkout-key", &whose).to_string(), fingerprint: basket.fingerprint(text) })
    }
}

/// The order's id: new, or with a key always the same for the same basket, so that its holds and its score are too. Another basket
/// under the same key has another id, so that refusing it cannot touch the first one's holds.
pub(crate) fn order_id(key: Option<&Key>) -> OrderId {
    OrderId::from_uuid(match key {
        Some(Key { fingerprint, .. }) => derived("checkout-order", fingerprint),
        None => clock::new_id(),
    })
}

fn merge(lines: Vec<BodyLine>) -> Result<Vec<Wanted>, FieldError> {
    let mut merged: Vec<Wanted> = Vec::with_capacity(lines.len());
    let mut seen: HashMap<ProductId, usize> = HashMap::with_capacity(lines.len());
    for (position, BodyLine { product_id, quantity }) in lines.into_iter().enumerate() {
        let refused = || {
            FieldError::new(
                format!("lines[{position}].quantity"),
                format!("must be 1 to {MAX_QUANTITY} units of one product"),
            )
        };
        if !(1..=MAX_QUANTITY).contains(&quantity) {
            return Err(refused());
        }
        if let Some(&index) = seen.get(&product_id) {
            let line = &mut merged[index];
            // Both are at most 10,000, so the sum fits.
            line.quantity += quantity;
            if line.quantity > MAX_QUANTITY {
                return Err(refused());
            }
            continue;
        }
        seen.insert(product_id.clone(), merged.len());
        merged.push(Wanted { product_id, quantity, position });
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Basket, Problem> {
        Basket::parse(text.as_bytes())
    }

    #[test]
    fn a_product_named_twice_is_one_line() {
        let text = r#"{"customerId":"c","lines":[{"productId":"A","quantity":1},{"productId":"B","quantity":2},
            {"productId":"A","quantity":3}],"note":"unknown members are ignored"}"#;
        let lines = parse(text).unwrap().lines;
        let lines: Vec<_> = lines.iter().map(|line| (line.product_id.as_str(), line.quantity, line.position)).collect();
        assert_eq!(lines, [("A", 4, 0), ("B", 2, 1)]);
    }

    #[test]
    fn merged_units_keep_the_bound() {
        let text = r#"{"customerId":"c","lines":[{"productId":"A","quantity":9999},{"productId":"A","quantity":2}]}"#;
        assert_eq!(parse(text).unwrap_err().errors[0].path, "lines[1].quantity");
    }

    #[test]
    fn a_key_is_its_customer_s_own() {
        let key = |customer: &str, key: &str| {
            let text = format!(r#"{{"customerId":"{customer}","lines":[{{"productId":"A","quantity":2}}]}}"#);
            Key::parse(key.as_bytes(), &parse(&text).unwrap()).unwrap()
        };
        assert_eq!(key("anna", "order-1"), key("anna", "order-1"));
        assert_ne!(key("anna", "order-1").hash, key("bert", "order-1").hash);
        assert_ne!(order_id(Some(&key("anna", "order-1"))), order_id(Some(&key("bert", "order-1"))));
        assert_ne!(key("anna", "b|order-1").hash, key("anna.b", "order-1").hash);
    }

    #[test]
    fn the_same_basket_has_one_order_id_per_key() {
        let one = parse(r#"{"customerId":"c","lines":[{"productId":"A","quantity":2}]}"#).unwrap();
        let same =
            parse(r#"{ "lines": [{"quantity":1,"productId":"A"},{"quantity":1,"productId":"A"}], "customerId":"c" }"#);
        let other = parse(r#"{"customerId":"c","lines":[{"productId":"A","quantity":3}]}"#).unwrap();
        let id = |basket: &Basket, key: &[u8]| order_id(Some(&Key::parse(key, basket).unwrap()));
        assert_eq!(id(&one, b"k"), id(&same.unwrap(), b"k"));
        assert_ne!(id(&one, b"k"), id(&one, b"l"));
        assert_ne!(id(&one, b"k"), id(&other, b"k"));
        assert_ne!(order_id(None), order_id(None));
    }
}
