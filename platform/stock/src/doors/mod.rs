//! The REST doors of a ledger.

mod asked;
mod inventory;
mod reservations;

pub use asked::{Asked, ListQuery, Named};

use events::Ledger;
use runtime::Caller::{Checkout, Food, Gateway, Operator, Warehouse};
use runtime::{Door, Doors};
use store::Store;

/// What a door works on.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
}

/// The doors of `ledger`, kept in `store`.
pub fn doors(store: Store, ledger: Ledger) -> Doors {
    const LOOKERS: &[runtime::Caller] = &[Gateway, Checkout, Warehouse, Food, Operator];
    Doors::new()
        .get("/inventory", inventory::list, Door::of("Lists products and their units").to(LOOKERS))
        .put("/inventory", inventory::put_many, Door::of("Adds or changes products").to(&[Food, Operator]))
        .get("/inventory/{productId}", inventory::one, Door::of("One product and its units").to(LOOKERS))
        .put("/inventory/{productId}", inventory::put, Door::of("Changes a product").to(&[Operator]))
        .post("/inventory/{productId}/reserve", inventory::reserve, Door::of("Holds units").to(&[Operator]))
        .post("/inventory/{productId}/release", inventory::release, Door::of("Gives held units back").to(&[Operator]))
        .post("/reservations", reservations::make, Door::of("Holds units for an order").to(&[Checkout, Operator]))
        .delete(
            "/reservations/{reservationId}",
            reservations::withdraw,
            Door::of("Gives an order's units back").to(&[Checkout, Operator]),
        )
        .with_state(House { store, ledger })
}
