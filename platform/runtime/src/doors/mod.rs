//! The doors of a service: every route is added together with what it is for and who may come through it, so that none is open by
//! default and none is forgotten.
//!
//! ```
//! use runtime::{Caller, Door, Doors};
//!
//! let doors: Doors = Doors::new()
//!     .get("/customers", || async { "[]" }, Door::of("Lists customers").to(&[Caller::Accounting, Caller::Operator]));
//! assert_eq!(doors.list().map(|door| door.path).collect::<Vec<_>>(), ["/customers"]);
//! ```
//!
//! [`Doors::list`] has method, path, summary and callers as data: what a service's README and description of its API are made from.

mod caller;
mod config;
mod description;
mod guard;
mod identity;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{self, MethodRouter};
use http::Method;

pub use self::caller::Caller;
pub use self::config::{LOCAL_DOMAIN, PUSH_NAME, clients_of_this_machine, on_this_machine, push_to};
pub use self::description::Description;
pub use self::identity::{Identity, audience};
use crate::openapi::{Api, Operation};

/// Who may come through a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Anybody: what says nothing but that the service lives.
    Anyone,
    /// Pub/Sub's push subscriptions.
    PubSub,
    /// These.
    These(&'static [Caller]),
}

/// What a door is for and who may come through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Door {
    summary: &'static str,
    callers: Callers,
    description: Description,
}

/// A door that is not one yet: it is not known who may come through it.
#[derive(Debug, Clone, Copy)]
#[must_use = "say who may come through it"]
pub struct Purpose(&'static str);

impl Door {
    /// A door and what it is for, in a few words.
    pub const fn of(summary: &'static str) -> Purpose {
        Purpose(summary)
    }

    /// The same door with what it takes and answers: `.described(|door| door.query::<Asked>().gives::<Customers>(200, "a page"))`.
    #[must_use]
    pub const fn described(self, describe: fn(Operation) -> Operation) -> Self {
        Self { description: Description(describe), ..self }
    }
}

impl Purpose {
    /// Only these come through.
    #[must_use]
    pub const fn to(self, callers: &'static [Caller]) -> Door {
        Door { summary: self.0, callers: Callers::These(callers), description: Description::NONE }
    }

    /// Pub/Sub comes through, and nobody else.
    pub(crate) const fn to_pubsub(self) -> Door {
        Door { summary: self.0, callers: Callers::PubSub, description: Description::NONE }
    }

    /// Everybody comes through.
    pub(crate) const fn to_anyone(self) -> Door {
        Door { summary: self.0, callers: Callers::Anyone, description: Description::NONE }
    }
}

/// A door as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its method.
    pub method: Method,
    /// Its path, parameters in braces.
    pub path: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// Who may come through it.
    pub callers: Callers,
    /// What it takes and answers.
    pub description: Description,
}

/// The doors of a service; `S` is what their handlers stand on.
#[derive(Clone)]
#[must_use = "doors lead nowhere until a service has them"]
pub struct Doors<S = ()>(Vec<(Listed, MethodRouter<S>)>);

impl<S: Clone + Send + Sync + 'static> Doors<S> {
    /// None yet.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds `GET path`.
    pub fn get<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H, door: Door) -> Self {
        self.add(Method::GET, path, routing::get(handler), door)
    }

    /// Adds `POST path`.
    pub fn post<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H, door: Door) -> Self {
        self.add(Method::POST, path, routing::post(handler), door)
    }

    /// Adds `PUT path`.
    pub fn put<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H, door: Door) -> Self {
        self.add(Method::PUT, path, routing::put(handler), door)
    }

    /// Adds `DELETE path`.
    pub fn delete<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H, door: Door) -> Self {
        self.add(Method::DELETE, path, routing::delete(handler), door)
    }

    fn add(mut self, method: Method, path: &'static str, route: MethodRouter<S>, door: Door) -> Self {
        let Door { summary, callers, description } = door;
        self.0.push((Listed { method, path, summary, callers, description }, route));
        self
    }

    /// Gives the handlers what they stand on.
    pub fn with_state(self, state: S) -> Doors {
        Doors(self.0.into_iter().map(|(listed, route)| (listed, route.with_state(state.clone()))).collect())
    }

    /// Every door, in the order they were added.
    pub fn list(&self) -> impl Iterator<Item = &Listed> {
        self.0.iter().map(|(listed, _)| listed)
    }
}

impl<S: Clone + Send + Sync + 'static> Default for Doors<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl Doors {
    /// These doors and `other`'s.
    pub fn merge(mut self, other: Doors) -> Self {
        self.0.extend(other.0);
        self
    }

    /// These doors as an API that can be described.
    pub fn api(&self, title: &'static str, about: &str) -> Api {
        self.list().fold(Api::new(title, about), |api, door| api.with(door.operation()))
    }

    /// The router, with `identity` at every door. A path that has no door is 404.
    pub(crate) fn open(self, identity: &Identity) -> Router {
        let router = self.0.into_iter().fold(Router::new(), |router, (listed, route)| {
            router.route(listed.path, guard::guarded(route, &listed, identity))
        });
        router.fallback(|| async { crate::Problem::not_found("path") })
    }

    /// The router with nobody at any door: for tests of what is behind them, within one process.
    #[doc(hidden)]
    pub fn open_house(self) -> Router {
        self.open(&Identity::open_house())
    }
}
