//! The REST doors of a ledger.

mod asked;
mod inventory;
mod reservations;

pub use asked::{Asked, ListQuery, Named};

use events::Ledger;
use runtime::Caller::{Checkout, Food, Gateway, Operator, Warehouse};
use runtime::{Door, Doors};
use store::Store;

use crate::contract::Item;

/// What a door works on.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
}

/// The doors of `ledger`, kept in `store`.
pub fn doors(store: Store, ledger: Ledger) -> Doors {
    const LOOKERS: &[runtime::Caller] = &[Gateway, Checkout, Warehouse, Food, Operator];
    const CHANGE: Door = Door::of("Changes a product").to(&[Operator]).described(|it| {
        it.gives::<Item>(200, "it is changed")
            .gives::<Item>(201, "it was not there, and is now")
            .refuses(409, "fewer units than are held")
    });
    const RESERVE: Door = Door::of("Holds units")
        .to(&[Operator])
        .described(|it| it.refuses(409, "there are not that many units for sale"));
    const RELEASE: Door = Door::of("Gives held units back")
        .to(&[Operator])
        .described(|it| it.refuses(409, "not that many units are reserved by hand"));
    const MAKE: Door = Door::of("Holds units for an order").to(&[Checkout, Operator]).described(|it| {
        it.refuses(409, "there are not that many units for sale, or the hold's id is another's")
            .refuses(422, "there is no such product")
    });
    const WITHDRAW: Door = Door::of("Gives an order's units back")
        .to(&[Checkout, Operator])
        .described(|it| it.refuses(409, "the hold was made firm"));
    Doors::new()
        .get("/inventory", inventory::list, Door::of("Lists products and their units").to(LOOKERS))
        .put("/inventory", inventory::put_many, Door::of("Adds or changes products").to(&[Food, Operator]))
        .get("/inventory/{productId}", inventory::one, Door::of("One product and its units").to(LOOKERS))
        .put("/inventory/{productId}", inventory::put, CHANGE)
        .post("/inventory/{productId}/reserve", inventory::reserve, RESERVE)
        .post("/inventory/{productId}/release", inventory::release, RELEASE)
        .post("/reservations", reservations::make, MAKE)
        .delete("/reservations/{reservationId}", reservations::withdraw, WITHDRAW)
        .with_state(House { store, ledger })
}
