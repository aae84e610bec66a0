//! The food service: prices of the menu and whether a dish is on it today. Units are in the inventory.
//!
//! Required for orders with food. When it cannot answer they are refused with 503: without it there is no price.

use std::collections::HashMap;

use events::{Money, ProductId};
use futures::future::ready;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use stock::decimal::Decimal;

use super::{EdgeDown, Guard, found};
use crate::decide::food_number;

/// Questions to the food service at a time, per order.
const CONCURRENT: usize = 8;

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
    price: Decimal,
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
        let ids: Vec<ProductId> = ids.into_iter().cloned().collect();
        let dishes = stream::iter(ids).map(|id| self.dish(id)).buffer_unordered(CONCURRENT);
        dishes.try_filter_map(|dish| ready(Ok(dish))).try_collect().await
    }

    async fn dish(&self, id: ProductId) -> Result<Option<(ProductId, Dish)>, EdgeDown> {
        let Some(number) = food_number(&id) else { return Ok(None) };
        let path = format!("/food/{number}");
        let call = async { found(self.0.peer().get::<Item>(&path).await) };
        let Some(Item { price: Decimal(minor), available }) = self.0.wait(call).await? else { return Ok(None) };
        Ok(Some((id, Dish { unit_price: Money::from_minor(minor), available })))
    }
}
