//! Field masks of updates.

use prost_types::FieldMask;

use crate::error::Refusal;
use crate::limits::MASK_PATHS;

/// The paths of a mask.
///
/// # Errors
/// `INVALID_ARGUMENT` without any.
pub(super) fn paths(mask: Option<FieldMask>) -> Result<Vec<String>, Refusal> {
    let paths = mask.map(|mask| mask.paths).unwrap_or_default();
    if paths.is_empty() || paths.len() > MASK_PATHS {
        return Err(Refusal::invalid(format!("The update_mask must name 1 to {MASK_PATHS} fields")));
    }
    Ok(paths)
}

/// A path that cannot be updated: known ones by their nature, others as unknown.
pub(super) fn refused(message: &str, path: &str, immutable: &[&str], unimplemented: &[&str]) -> Refusal {
    let field = path.split('.').next().unwrap_or(path);
    if immutable.contains(&field) {
        return Refusal::invalid(format!("Invalid update_mask: {message}.{path} cannot be changed"));
    }
    if unimplemented.contains(&field) {
        return Refusal::unimplemented(&format!("{message}.{path}"));
    }
    Refusal::invalid(format!("Invalid update_mask: {message} has no field {path}"))
}
