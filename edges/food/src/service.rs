//! The service from its parts.

use runtime::{Base, Doors, Foundation, Publishing, Service, StartError};
use store::Store;
use tracing::warn;

use crate::limits::SYNC_EVERY;
use crate::{Config, Inventory, MIGRATIONS};

/// The service's name.
pub const NAME: &str = "food";

/// The service, ready to start.
///
/// # Errors
/// [`StartError::Store`] when the database cannot be opened.
pub fn service(base: &Base, config: Config) -> Result<Service, StartError> {
    let foundation = Foundation::open(NAME, base, MIGRATIONS, Publishing::WithinRequest)?;
    let inventory = Inventory::new(&config, &foundation.identity);
    let store = foundation.store().clone();
    let doors = doors(store.clone(), inventory.clone());
    Ok(Service::new(foundation, doors).every(SYNC_EVERY, move |_| {
        let (store, inventory) = (store.clone(), inventory.clone());
        async move {
            if let Err(error) = inventory.catch_up(&store).await {
                warn!(%error, "inventory cannot catch up now");
            }
        }
    }))
}

/// The service's REST doors.
pub fn doors(store: Store, inventory: Inventory) -> Doors {
    crate::doors::doors(store, inventory)
}
