//! Who may do what: everyone everything.

use crate::core::Core;
use crate::error::{Code, Refusal};
use crate::names;

/// The permissions a caller has on a resource: all that were asked for.
///
/// # Errors
/// `NOT_FOUND` for what is not there.
pub(crate) fn test_iam_permissions(
    core: &Core,
    resource: &str,
    permissions: Vec<String>,
) -> Result<Vec<String>, Refusal> {
    let kind = resource.split('/').nth(2).unwrap_or("");
    let (Ok(()), "topics" | "subscriptions" | "snapshots" | "schemas") = (names::check(resource, kind), kind) else {
        return Err(Refusal::invalid(format!(
            "Invalid resource given: (name={resource}). Permissions are those of a topic, a subscription, a snapshot \
             or a schema"
        )));
    };
    match kind {
        "topics" => drop(core.topic(resource)?),
        "subscriptions" => drop(core.subscription(resource)?),
        "snapshots" => drop(core.snapshot(resource)?),
        _ => drop(core.schema(resource)?),
    }
    if let Some(pattern) = permissions.iter().find(|permission| permission.is_empty() || permission.contains('*')) {
        return Err(Refusal::invalid(format!("Invalid permission given: {pattern:?}. Wildcards are not allowed")));
    }
    Ok(permissions)
}

/// Why there is no policy to read or to set.
pub(crate) fn no_policy() -> Refusal {
    Refusal::new(
        Code::Unimplemented,
        "this broker has no access control: everyone who reaches it may do everything, and it keeps no policies",
    )
}
