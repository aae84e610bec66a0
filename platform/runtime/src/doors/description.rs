//! `GET /openapi.json`: the doors of a service as an OpenAPI 3.1 document.

use std::sync::{Arc, OnceLock};

use axum::Json;
use serde_json::Value;

use super::{Caller, Callers, Door, Doors, Hung, Listed};
use crate::openapi::{DOCUMENT, Needs, Operation};

/// What every description begins with.
const ABOUT: &str = "Errors are problems (RFC 9457); their `code` is stable. Every answer has X-Request-Id. A path that is not here is 404, \
a method that is not here 405 with `Allow`.";

impl Doors {
    /// These doors and one more, which describes all of them. Who may see it is who may be shown everything: the operator.
    pub(crate) fn describing_themselves(self, service: &'static str) -> Self {
        let document: Arc<OnceLock<Value>> = Arc::default();
        let this = self.clone();
        let show = move || {
            let (document, this) = (Arc::clone(&document), this.clone());
            async move {
                // Rendered when somebody asks first: most services live without being asked.
                Json(
                    document
                        .get_or_init(|| {
                            this.with_description(|| async { Json(Value::Null) }).api(service, ABOUT).document()
                        })
                        .clone(),
                )
            }
        };
        self.with_description(show)
    }

    fn with_description<F, Work>(self, show: F) -> Self
    where
        F: FnOnce() -> Work + Clone + Send + Sync + 'static,
        Work: Future<Output = Json<Value>> + Send + 'static,
    {
        self.get(DOCUMENT, show, Door::of("This description, OpenAPI 3.1").to(&[Caller::Operator]))
    }
}

impl<S> Hung<S> {
    pub(super) fn operation(&self) -> Operation {
        let Listed { method, path, summary, callers } = &self.listed;
        let operation = Operation::new(method.as_str(), *path, *summary);
        let operation = match callers {
            Callers::Anyone => operation.needs(Needs::Nothing),
            Callers::PubSub => guarded(operation.details("For Pub/Sub's push subscriptions.")),
            Callers::These(callers) => {
                let names: Vec<&str> = callers.iter().map(|caller| caller.name()).collect();
                guarded(operation.details(&format!("For {}.", names.join(", "))))
            }
        };
        (self.more)((self.describe)(operation))
    }
}

fn guarded(operation: Operation) -> Operation {
    operation
        .refuses(400, "path or query are no text: not UTF-8, or with U+0000")
        .refuses(401, "no token, or none that is believed; WWW-Authenticate says why")
        .refuses(403, "the caller is not on the door's list")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;

    #[test]
    fn a_door_says_whose_it_is_and_what_the_signature_does_not_tell() {
        let door = Door::of("Greets").to(&[Caller::Oms]).described(|it| it.refuses(409, "not now"));
        let greet = || async { Ok::<_, Problem>(Json(1)) };
        let document =
            Doors::new().get("/hello", greet, door).describing_themselves("greeter").api("greeter", ABOUT).document();
        let hello = &document["paths"]["/hello"]["get"];
        let statuses: Vec<&String> = hello["responses"].as_object().unwrap().keys().collect();
        assert_eq!(statuses, ["200", "400", "401", "403", "409", "503"]);
        assert_eq!(hello["description"], "For oms.");
        assert!(!document["paths"][DOCUMENT]["get"].is_null());
    }
}
