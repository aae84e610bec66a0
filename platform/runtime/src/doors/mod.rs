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
//! [`Doors::list`] has method, path, summary and callers as data. A service's description of its doors, `GET /openapi.json`, is made of
//! these and of the handlers' signatures; [`Door::described`] adds what signatures do not tell.

mod caller;
mod config;
mod description;
mod guard;
mod identity;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{self, MethodRouter};
use http::{Method, StatusCode};

use crate::openapi::{Api, Operation, Signature};
use crate::problem::Problem;

pub use self::caller::Caller;
pub use self::config::{LOCAL_DOMAIN, PUSH_NAME, clients_of_this_machine, on_this_machine, push_to};
pub use self::identity::{Identity, audience};

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

/// What a door is for, who may come through it, and what its handler's signature does not tell of it.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    summary: &'static str,
    callers: Callers,
    more: fn(Operation) -> Operation,
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

    /// What its description has besides what the handler's signature tells: statuses, headers, bodies that are read by hand.
    #[must_use]
    pub const fn described(mut self, more: fn(Operation) -> Operation) -> Door {
        self.more = more;
        self
    }
}

impl Purpose {
    /// Only these come through.
    #[must_use]
    pub const fn to(self, callers: &'static [Caller]) -> Door {
        self.door(Callers::These(callers))
    }

    /// Pub/Sub comes through, and nobody else.
    pub(crate) const fn to_pubsub(self) -> Door {
        self.door(Callers::PubSub)
    }

    /// Everybody comes through.
    pub(crate) const fn to_anyone(self) -> Door {
        self.door(Callers::Anyone)
    }

    const fn door(self, callers: Callers) -> Door {
        Door { summary: self.0, callers, more: std::convert::identity }
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
}

/// The doors of a service; `S` is what their handlers stand on.
#[derive(Clone)]
#[must_use = "doors lead nowhere until a service has them"]
pub struct Doors<S = ()>(Vec<Hung<S>>);

/// A door in its place.
#[derive(Clone)]
struct Hung<S> {
    listed: Listed,
    /// Describes it. Most are never described, so it is done when somebody asks.
    describe: fn(Operation) -> Operation,
    more: fn(Operation) -> Operation,
    route: MethodRouter<S>,
}

impl<S: Clone + Send + Sync + 'static> Doors<S> {
    /// None yet.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds `GET path`.
    pub fn get<H: Handler<T, S> + Signature<T, S>, T: 'static>(
        self,
        path: &'static str,
        handler: H,
        door: Door,
    ) -> Self {
        self.add(Method::GET, path, routing::get(handler), H::described, door)
    }

    /// Adds `POST path`.
    pub fn post<H: Handler<T, S> + Signature<T, S>, T: 'static>(
        self,
        path: &'static str,
        handler: H,
        door: Door,
    ) -> Self {
        self.add(Method::POST, path, routing::post(handler), H::described, door)
    }

    /// Adds `PUT path`.
    pub fn put<H: Handler<T, S> + Signature<T, S>, T: 'static>(
        self,
        path: &'static str,
        handler: H,
        door: Door,
    ) -> Self {
        self.add(Method::PUT, path, routing::put(handler), H::described, door)
    }

    /// Adds `DELETE path`.
    pub fn delete<H: Handler<T, S> + Signature<T, S>, T: 'static>(
        self,
        path: &'static str,
        handler: H,
        door: Door,
    ) -> Self {
        self.add(Method::DELETE, path, routing::delete(handler), H::described, door)
    }

    fn add(
        mut self,
        method: Method,
        path: &'static str,
        route: MethodRouter<S>,
        describe: fn(Operation) -> Operation,
        door: Door,
    ) -> Self {
        let Door { summary, callers, more } = door;
        self.0.push(Hung { listed: Listed { method, path, summary, callers }, describe, more, route });
        self
    }

    /// Gives the handlers what they stand on.
    pub fn with_state(self, state: S) -> Doors {
        let stand = |Hung { listed, describe, more, route }: Hung<S>| Hung {
            listed,
            describe,
            more,
            route: route.with_state(state.clone()),
        };
        Doors(self.0.into_iter().map(stand).collect())
    }

    /// Every door, in the order they were added.
    pub fn list(&self) -> impl Iterator<Item = &Listed> {
        self.0.iter().map(|hung| &hung.listed)
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
        self.0.iter().fold(Api::new(title, about), |api, hung| api.with(hung.operation()))
    }

    /// The router, with `identity` at every door. A path that has no door is 404, a method that has none 405.
    pub(crate) fn open(self, identity: &Identity) -> Router {
        let router = self.0.into_iter().fold(Router::new(), |router, Hung { listed, route, .. }| {
            router.route(listed.path, guard::guarded(route, &listed, identity))
        });
        router.fallback(|| async { Problem::not_found("path") }).method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path does not take this method")
        })
    }

    /// The router with nobody at any door: for tests of what is behind them, within one process.
    #[doc(hidden)]
    pub fn open_house(self) -> Router {
        self.open(&Identity::open_house())
    }
}
