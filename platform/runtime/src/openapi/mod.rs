//! A description of a service's REST doors as an OpenAPI 3.1 document, made from the code: paths and summaries are those the router is
//! built with, schemas those of the types that are read and written.
//!
//! ```
//! use runtime::openapi::{Api, Operation};
//!
//! #[derive(schemars::JsonSchema)]
//! struct Greeting {
//!     /// What is said.
//!     text: String,
//! }
//!
//! let hello = Operation::new("GET", "/hello/{name}", "Greets somebody").gives::<Greeting>(200, "the greeting").refuses(404, "nobody");
//! let document = Api::new("greeter", "Greets.").with(hello).document();
//! assert_eq!(document["paths"]["/hello/{name}"]["get"]["summary"], "Greets somebody");
//! ```

mod bounds;
mod document;
mod operation;
mod page;
mod schemas;
mod signature;
mod texts;

use axum::Json;
use axum::Router;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use http::HeaderValue;
use http::header::CONTENT_SECURITY_POLICY;
use serde_json::Value;

pub use self::operation::{Needs, Operation};
pub use self::signature::{Gives, Signature, Takes};
pub use self::texts::{dollars, line, optional_line};

/// Where the document is.
pub const DOCUMENT: &str = "/openapi.json";
/// Where its page for people is.
pub const PAGE: &str = "/docs";
/// Nothing but the page itself: no scripts, nothing from elsewhere.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A service's doors, described.
#[derive(Clone)]
pub struct Api {
    title: &'static str,
    description: String,
    /// What a token may hold, with its meaning.
    scopes: Vec<(&'static str, &'static str)>,
    operations: Vec<Operation>,
}

impl Api {
    /// An API that can do nothing yet.
    #[must_use]
    pub fn new(title: &'static str, description: impl Into<String>) -> Self {
        Self { title, description: description.into(), scopes: Vec::new(), operations: Vec::new() }
    }

    /// Names what tokens may hold.
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = (&'static str, &'static str)>) -> Self {
        self.scopes.extend(scopes);
        self
    }

    /// Adds an operation.
    #[must_use]
    pub fn with(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> Value {
        document::render(self)
    }

    /// `GET /openapi.json` and `GET /docs`.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let document = self.document();
        let page = page::render(&document);
        let policy = HeaderValue::from_static(POLICY);
        let page = move || async move { ([(CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response() };
        Router::new().route(DOCUMENT, get(move || async move { Json(document) })).route(PAGE, get(page))
    }
}
