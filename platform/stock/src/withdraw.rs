//! Gives up a hold that is not firm: the command behind `DELETE /reservations/{reservationId}`.

use events::ReservationId;
use runtime::Problem;
use store::Tx;

use crate::holds::Status;
use crate::{holds, products};

/// Releases the hold's units. A hold that is not there is forbidden, so that a request to make it, still on its way,
/// comes to nothing.
///
/// # Errors
/// 409 when the hold is firm or shipped: only the order's cancellation ends it.
pub fn withdraw(tx: &mut Tx<'_>, reservation_id: &ReservationId) -> Result<(), Problem> {
    if holds::forbid(tx, reservation_id)? {
        return Ok(());
    }
    let hold = holds::find(tx, reservation_id)?;
    if holds::release_held(tx, reservation_id)? {
        for line in hold.iter().flat_map(|hold| &hold.lines) {
            if !products::free(tx, line)? {
                return Err(Problem::internal(&format!("{} does not have the units held", line.product_id)));
            }
        }
        return Ok(());
    }
    match hold {
        Some(hold) if hold.status != Status::Released => {
            Err(Problem::conflict("reservation_committed", "the hold is firm, only its order's cancellation ends it"))
        }
        _ => Ok(()),
    }
}
