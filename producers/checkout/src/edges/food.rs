//! The food service: prices of the menu and whether a dish is on it today. Units are in the inventory.
//!
//! Required for orders with food. When it cannot answer they are refused with 503: without it there is no price.

use std::collections::HashMap;

use events::{Money, ProductId};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{EdgeDown, Guard, found};
use crate::decide::food_number;

/// Questions to the food service at a time, per order.
const CONCURRENT: usize = 8;
/// The most digits before the decimal point a price may have.
const MAX_UNIT_DIGITS: usize = 9;

/// A dish on the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dish {
    /// Price of one.
    pub unit_price: Money,
    /// Whether it is on the menu today.
    pub available: bool,
}

#[derive(Deserialize)]
struct Item {
    price: Box<RawValue>,
    available: bool,
}

/// The food service.
pub(crate) struct Food(pub Guard);

impl Food {
    /// Prices of dishes; one that is on no menu is absent.
    pub(crate) async fn prices(&self, ids: Vec<&ProductId>) -> Result<HashMap<ProductId, Dish>, EdgeDown> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let dishes = stream::iter(ids).map(|id| async move { Ok(self.dish(id).await?.map(|dish| (id.clone(), dish))) });
        dishes.buffer_unordered(CONCURRENT).try_filter_map(|dish| async move { Ok(dish) }).try_collect().await
    }

    async fn dish(&self, id: &ProductId) -> Result<Option<Dish>, EdgeDown> {
        let Some(number) = food_number(id) else { return Ok(None) };
        let path = format!("/food/{number}");
        let call = async { found(self.0.peer().get::<Item>(&path).await) };
        let Some(Item { price, available }) = self.0.wait(call).await? else { return Ok(None) };
        let minor = minor_of(price.get()).ok_or_else(|| self.0.down(&"a price is not an amount of money"))?;
        Ok(Some(Dish { unit_price: Money::from_minor(minor), available }))
    }
}

/// Cents of a JSON number with at most two decimals, from its text: no float touches money.
fn minor_of(number: &str) -> Option<i64> {
    let (units, cents) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !(1..=MAX_UNIT_DIGITS).contains(&units.len()) || cents.len() > 2 || !digits(units) || !digits(cents) {
        return None;
    }
    let units: i64 = units.parse().ok()?;
    let cents: i64 = format!("{cents:0<2}").parse().ok()?;
    Some(units * 100 + cents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_to_the_cent_or_not_at_all() {
        let good = [("12.99", 1_299), ("0.1", 10), ("7", 700), ("0.07", 7), ("999999999.99", 99_999_999_999)];
        for (text, minor) in good {
            assert_eq!(minor_of(text), Some(minor), "{text}");
        }
        for text in ["12.999", "-1", "1e3", "\"1\"", "null", "", ".5", "1000000000", "1.2.3", "+1"] {
            assert_eq!(minor_of(text), None, "{text}");
        }
    }
}
