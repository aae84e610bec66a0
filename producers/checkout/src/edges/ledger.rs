//! A stock ledger, kept by the inventory or the furniture service: catalogue, units, holds.
//!
//! Required for orders with its products. When it cannot answer they are refused with 503, and holds in the other ledger are
//! released. A hold that could not be released, or was made by a call whose answer was lost, lapses by its deadline.

use std::collections::HashMap;
use std::fmt::Write as _;

use events::money::SHOP_CURRENCY;
use events::{Ledger, Money, OrderId, ProductId, ReservationId, StockLine, Timestamp};
use runtime::{Deadline, Guard, GuardError, Problem, Trouble};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::EdgeDown;
use super::guard::{answered, down};
use crate::decide::Offer;

/// The highest price of one unit believed, in whole units of the currency: with it no sum of an order overflows.
const MAX_PRICE_UNITS: i64 = 999_999_999;

#[derive(Deserialize)]
struct Page {
    data: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    product_id: ProductId,
    unit_price: Money,
    available: u32,
}

/// Units held in one ledger, or about to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Hold {
    /// For which order.
    pub order_id: OrderId,
    /// Which hold; the same id is the same hold.
    pub reservation_id: ReservationId,
    /// In which ledger.
    #[serde(skip)]
    pub ledger: Ledger,
    /// What.
    pub lines: Vec<StockLine>,
    /// When it lapses.
    pub expires_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    expires_at: Timestamp,
}

/// Why nothing is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoHold {
    /// Some lines are not in stock: index in the hold's lines, and what is missing in words.
    OutOfStock(Vec<(usize, String)>),
    /// The ledger does not know a product.
    UnknownProduct,
    /// A hold of this id was given back before; another id is needed.
    Released,
    /// It cannot answer. Something may be held.
    Down(EdgeDown),
}

/// The ledger.
pub(crate) struct StockLedger(pub Guard);

impl StockLedger {
    /// Price and units of products; one the ledger does not know is absent.
    pub(crate) async fn offers(
        &self,
        ids: Vec<&ProductId>,
        deadline: Deadline,
    ) -> Result<HashMap<ProductId, Offer>, EdgeDown> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut path = String::from("/inventory?ids=");
        for (index, id) in ids.into_iter().enumerate() {
            // Writing to a string cannot fail; ids are safe in a URL.
            let _ = write!(path, "{}{id}", if index == 0 { "" } else { "," });
        }
        let page: Page = answered(self.0.edge(), self.0.get(path, deadline).await)?;
        page.data.into_iter().map(|item| self.offer(item)).collect()
    }

    fn offer(&self, Item { product_id, unit_price, available }: Item) -> Result<(ProductId, Offer), EdgeDown> {
        let sound = unit_price.check("unitPrice").is_ok()
            && unit_price.currency_code == SHOP_CURRENCY
            && !unit_price.is_negative()
            && unit_price.units <= MAX_PRICE_UNITS;
        if sound {
            return Ok((product_id, Offer { unit_price, available }));
        }
        let reason = format!("the price of {product_id} is not one we can charge");
        Err(self.down(Trouble::Nonsense, reason))
    }

    /// Holds all lines or none, and answers when the hold lapses. The same hold asked for twice is one hold.
    pub(crate) async fn hold(&self, hold: &Hold, deadline: Deadline) -> Result<Timestamp, NoHold> {
        let problem = match self.0.post::<_, Held>("/reservations", hold, deadline).await {
            Ok(Held { expires_at }) => return Ok(expires_at),
            Err(GuardError::Refused { problem, .. }) => problem,
            Err(error) => return Err(NoHold::Down(down(self.0.edge(), &error))),
        };
        match (problem.status, problem.code.as_str()) {
            (409, "out_of_stock") => Err(NoHold::OutOfStock(shortages(*problem))),
            (_, "reservation_released") => Err(NoHold::Released),
            (404, _) => Err(NoHold::UnknownProduct),
            _ => Err(NoHold::Down(self.down(Trouble::Nonsense, problem.to_string()))),
        }
    }

    /// An answer that cannot be used.
    fn down(&self, trouble: Trouble, reason: String) -> EdgeDown {
        down(self.0.edge(), &GuardError::Down { edge: self.0.edge(), trouble, reason })
    }

    /// Gives a hold back, as far as possible: one that cannot be given back lapses by itself.
    pub(crate) async fn release(&self, id: &ReservationId, deadline: Deadline) {
        let released = self.0.delete::<IgnoredAny>(format!("/reservations/{id}"), deadline).await;
        if let Err(cause) = released {
            warn!(reservation.id = %id, %cause, "the hold could not be released and is left to lapse");
        }
    }
}

/// The lines of `errors` with a path like `lines[2]`.
fn shortages(problem: Problem) -> Vec<(usize, String)> {
    let index = |path: &str| path.strip_prefix("lines[")?.split(']').next()?.parse().ok();
    problem.errors.into_iter().filter_map(|field| Some((index(&field.path)?, field.problem))).collect()
}
