//! The service from its parts.

use axum::Router;
use runtime::{Base, Foundation, Publishing, Service, StartError};
use store::Store;
use tracing::warn;

use crate::limits::SYNC_EVERY;
use crate::{Config, Inventory, MIGRATIONS, doors};

/// The service's name.
pub const NAME: &str = "food";

/// The service, ready to start.
///
/// # Errors
/// [`StartError::Store`] when the database cannot be opened.
pub fn service(base: &Base, config: Config) -> Result<Service, StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::WithinRequest)?;
    let inventory = Inventory::new(&config);
    let store = foundation.store().clone();
    let router = router(store.clone(), inventory.clone());
    Ok(Service::new(foundation, router).every(SYNC_EVERY, move |_| {
        let (store, inventory) = (store.clone(), inventory.clone());
        async move {
            if let Err(error) = inventory.catch_up(&store).await {
                warn!(%error, "inventory cannot catch up now");
            }
        }
    }))
}

/// The service's REST doors.
pub fn router(store: Store, inventory: Inventory) -> Router {
    doors::router(store, inventory)
}
