//! A door's description out of its handler's signature: what it takes and what it gives are types, and types have schemas. So a handler
//! and its description cannot differ.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::handler::Handler;
use axum::response::{Html, Response};
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;

use super::Operation;
use crate::body::{JsonBody, JsonBytes};
use crate::page::{self, Page};
use crate::problem::Problem;

/// What an extractor takes from a request.
pub trait Takes {
    /// Adds it to the description; nothing that a client sees unless told.
    #[must_use]
    fn taken(operation: Operation) -> Operation {
        operation
    }
}

/// What a handler gives.
pub trait Gives {
    /// Adds it to the description.
    #[must_use]
    fn given(operation: Operation) -> Operation;
}

/// A handler whose parameters and answer can be described. `T` and `S` are those of [`Handler`].
pub trait Signature<T, S>: Handler<T, S> {
    /// Adds what it takes and gives.
    #[must_use]
    fn described(operation: Operation) -> Operation;
}

macro_rules! signature {
    ($whole:ty; $($part:ident)*) => {
        impl<F, Work, Answer, S, M, $($part),*> Signature<$whole, S> for F
        where
            F: Handler<$whole, S> + FnOnce($($part),*) -> Work,
            Work: Future<Output = Answer>,
            Answer: Gives,
            $($part: Takes,)*
        {
            fn described(operation: Operation) -> Operation {
                $(let operation = $part::taken(operation);)*
                Answer::given(operation)
            }
        }
    };
}

impl<F, Work, Answer, S> Signature<((),), S> for F
where
    F: Handler<((),), S> + FnOnce() -> Work,
    Work: Future<Output = Answer>,
    Answer: Gives,
{
    fn described(operation: Operation) -> Operation {
        Answer::given(operation)
    }
}

signature!((M, A); A);
signature!((M, A, B); A B);
signature!((M, A, B, C); A B C);
signature!((M, A, B, C, D); A B C D);
signature!((M, A, B, C, D, E); A B C D E);

impl<S> Takes for State<S> {}
impl<T> Takes for Extension<T> {}
impl<T: Takes> Takes for Option<T> {}
impl Takes for HeaderMap {}
/// What is read by hand is described by hand.
impl Takes for Body {}

/// Any id: a text that is none names nothing.
impl Takes for Path<String> {
    fn taken(operation: Operation) -> Operation {
        operation.refuses(404, "there is no such thing")
    }
}

impl<T: JsonSchema> Takes for Query<T> {
    fn taken(operation: Operation) -> Operation {
        operation.query::<T>().refuses(400, QUERY)
    }
}

impl<T: JsonSchema> Takes for Result<Query<T>, QueryRejection> {
    fn taken(operation: Operation) -> Operation {
        Query::<T>::taken(operation)
    }
}

impl<K: JsonSchema> Takes for Page<K> {
    fn taken(operation: Operation) -> Operation {
        operation.query::<page::Asked<K>>().refuses(400, QUERY)
    }
}

impl<T: JsonSchema> Takes for JsonBody<T> {
    fn taken(operation: Operation) -> Operation {
        read(operation.takes::<T>())
    }
}

/// Which bodies it may hold is for the door to say.
impl<const LIMIT: usize> Takes for JsonBytes<LIMIT> {
    fn taken(operation: Operation) -> Operation {
        read(operation)
    }
}

const QUERY: &str = "the query cannot be read; `errors` names the field";

fn read(operation: Operation) -> Operation {
    operation
        .refuses(400, "the body cannot be read; `errors` names the field")
        .refuses(408, "the body did not come in time")
        .refuses(413, "the body is too large")
        .refuses(415, "the body is not said to be JSON")
}

impl<T: JsonSchema> Gives for Json<T> {
    fn given(operation: Operation) -> Operation {
        operation.gives::<T>(200, "so it is")
    }
}

impl<T: JsonSchema> Gives for (HeaderMap, Json<T>) {
    fn given(operation: Operation) -> Operation {
        Json::<T>::given(operation)
    }
}

/// A handler that chooses its status has made something; the door says what else it may be.
impl<T: JsonSchema> Gives for (StatusCode, Json<T>) {
    fn given(operation: Operation) -> Operation {
        operation.gives::<T>(201, "it is made")
    }
}

impl Gives for StatusCode {
    fn given(operation: Operation) -> Operation {
        operation.gives_nothing(204, "it is done")
    }
}

impl<T: Gives> Gives for Result<T, Problem> {
    fn given(operation: Operation) -> Operation {
        T::given(operation).refuses(503, "the database, or a service that has to be asked, cannot answer now")
    }
}

/// What is written by hand is described by hand.
impl Gives for Response {
    fn given(operation: Operation) -> Operation {
        operation
    }
}

impl<T> Gives for Html<T> {
    fn given(operation: Operation) -> Operation {
        operation.gives_other(200, "text/html", "the page")
    }
}

impl Gives for &'static str {
    fn given(operation: Operation) -> Operation {
        operation.gives_other(200, "text/plain", "a text")
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::openapi::Api;

    #[derive(Deserialize, JsonSchema)]
    struct Thing {
        #[schemars(range(max = 9))]
        size: u32,
    }

    async fn change(
        _: State<()>,
        _: Path<String>,
        _: Page<i64>,
        JsonBody(thing): JsonBody<Thing>,
    ) -> Result<Json<Thing>, Problem> {
        Ok(Json(thing))
    }

    impl serde::Serialize for Thing {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_u32(self.size)
        }
    }

    fn described<T, H: Signature<T, ()>>(_: H) -> Operation {
        H::described(Operation::new("PUT", "/things/{thingId}", "Changes a thing"))
    }

    #[test]
    fn a_handler_says_what_it_takes_and_gives() {
        let document = Api::new("things", "").with(described(change)).document();
        let door = &document["paths"]["/things/{thingId}"]["put"];
        let statuses: Vec<&String> = door["responses"].as_object().unwrap().keys().collect();
        assert_eq!(statuses, ["200", "400", "404", "408", "413", "415", "503"]);
        let names: Vec<&str> =
            door["parameters"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["thingId", "after", "limit"]);
        assert_eq!(door["parameters"][2]["schema"]["maximum"], 500);
        assert_eq!(door["requestBody"]["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/Thing");
        assert_eq!(document["components"]["schemas"]["Thing"]["properties"]["size"]["maximum"], 9);
    }
}
