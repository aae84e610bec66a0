//! What a door takes and answers, for the description of a service's API.

use std::fmt;

use super::{Caller, Callers, Listed};
use crate::openapi::{Needs, Operation};

/// Adds to an operation what a door takes and answers. All of them are equal: a door is told apart by method and path.
#[derive(Clone, Copy)]
pub struct Description(pub(super) fn(Operation) -> Operation);

impl Description {
    /// Nothing is said.
    pub(super) const NONE: Self = Self(|operation| operation);
}

impl PartialEq for Description {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Description {}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Description")
    }
}

impl Listed {
    /// The door, described; with the refusals that stand before every door.
    #[must_use]
    pub fn operation(&self) -> Operation {
        let operation = Operation::new(self.method.as_str(), self.path, self.summary);
        let operation = match self.callers {
            Callers::Anyone => operation.needs(Needs::Nothing),
            Callers::PubSub => guarded(operation).details("For Pub/Sub's push subscriptions."),
            Callers::These(callers) => {
                let names: Vec<&str> = callers.iter().copied().map(Caller::name).collect();
                guarded(operation).details(format!("For {}.", names.join(", ")))
            }
        };
        (self.description.0)(operation)
    }
}

fn guarded(operation: Operation) -> Operation {
    operation.refuses(401, "no token, or none that is believed").refuses(403, "this caller has no business here")
}

#[cfg(test)]
mod tests {
    use crate::doors::{Caller, Door, Doors};

    #[derive(schemars::JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Customer {
        name: String,
    }

    #[test]
    fn doors_describe_themselves_with_their_callers() {
        const LIST: Door = Door::of("Lists customers")
            .to(&[Caller::Accounting, Caller::Operator])
            .described(|door| door.gives::<Vec<Customer>>(200, "all of them"));
        let doors: Doors = Doors::new().get("/customers", || async { "[]" }, LIST);
        let document = doors.api("crm", "Customers.").document();
        let list = &document["paths"]["/customers"]["get"];
        assert_eq!(
            (list["summary"].as_str(), list["description"].as_str()),
            (Some("Lists customers"), Some("For accounting, operator."))
        );
        let statuses: Vec<&String> = list["responses"].as_object().unwrap().keys().collect();
        assert_eq!(statuses, ["200", "401", "403"]);
        assert!(document["components"]["schemas"]["Customer"].is_object());
    }
}
