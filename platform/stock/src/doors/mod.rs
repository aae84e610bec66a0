//! The REST doors of a ledger.

mod asked;
mod inventory;
mod reservations;

pub use asked::{Asked, ListQuery, Named};

use axum::Router;
use axum::routing::{delete, get, post};
use events::Ledger;
use store::Store;

/// What a door works on.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
}

/// The doors of `ledger`, kept in `store`.
pub fn router(store: Store, ledger: Ledger) -> Router {
    // Who is asking is checked in front of these routes, before any of them reads a body.
    Router::new()
        .route("/inventory", get(inventory::list).put(inventory::put_many))
        .route("/inventory/{productId}", get(inventory::one).put(inventory::put))
        .route("/inventory/{productId}/reserve", post(inventory::reserve))
        .route("/inventory/{productId}/release", post(inventory::release))
        .route("/reservations", post(reservations::make))
        .route("/reservations/{reservationId}", delete(reservations::withdraw))
        .with_state(House { store, ledger })
}
