//! The food service: prices of the menu and whether a dish is on it today. Units are in the inventory.
//!
//! Required for orders with food. When it cannot answer they are refused with 503: without it there is no price.

use std::collections::HashMap;

use events::{Money, ProductId};
use futures::future::ready;
use futures::{StreamExt, TryStreamExt, stream};
use runtime::{Deadline, Guard};
use serde::Deserialize;
use stock::decimal::Decimal;

use super::EdgeDown;
use super::guard::{answered, found};
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
    pub(crate) async fn prices(
        &self,
        ids: Vec<&ProductId>,
        deadline: Deadline,
    ) -> Result<HashMap<ProductId, Dish>, EdgeDown> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<ProductId> = ids.into_iter().cloned().collect();
        let dishes = stream::iter(ids).map(|id| self.dish(id, deadline)).buffer_unordered(CONCURRENT);
        dishes.try_filter_map(|dish| ready(Ok(dish))).try_collect().await
    }

    async fn dish(&self, id: ProductId, deadline: Deadline) -> Result<Option<(ProductId, Dish)>, EdgeDown> {
        let Some(number) = food_number(&id) else { return Ok(None) };
        let item = found(self.0.get::<Item>(format!("/food/{number}"), deadline).await);
        let Some(Item { price: Decimal(minor), available }) = answered(self.0.edge(), item)? else { return Ok(None) };
        Ok(Some((id, Dish { unit_price: Money::from_minor(minor), available })))
    }
}
