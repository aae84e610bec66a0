//! What a token's bearer may do.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use tracing::warn;

use super::token::Principal;

/// A permission in a token's `scope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// See what is for sale.
    CatalogRead,
    /// See orders.
    OrdersRead,
    /// Place orders, cancel them, send goods back.
    OrdersWrite,
    /// Do so for any customer: staff and trusted backends.
    OrdersAny,
    /// See what is counted and measured here: what watches over services.
    MetricsRead,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 5] =
        [Scope::CatalogRead, Scope::OrdersRead, Scope::OrdersWrite, Scope::OrdersAny, Scope::MetricsRead];

    /// The word in a token.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Scope::CatalogRead => "catalog:read",
            Scope::OrdersRead => "orders:read",
            Scope::OrdersWrite => "orders:write",
            Scope::OrdersAny => "orders:any",
            Scope::MetricsRead => "metrics:read",
        }
    }

    /// What it allows, for people.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Scope::CatalogRead => "see what is for sale",
            Scope::OrdersRead => "see one's own orders",
            Scope::OrdersWrite => "place orders, cancel them and send goods back, as the customer one is",
            Scope::OrdersAny => {
                "do so for any customer, and see what services told each other: for staff and trusted backends"
            }
            Scope::MetricsRead => "see what the gateway counts and measures: for what watches over it",
        }
    }
}

/// Lets those in who have `scope`; the others are told which one they lack (RFC 6750, section 3.1).
pub(crate) async fn require(scope: Scope, request: Request, next: Next) -> Response {
    let principal = request.extensions().get::<Arc<Principal>>();
    if principal.is_some_and(|principal| principal.has(scope)) {
        return next.run(request).await;
    }
    let name = scope.name();
    warn!(scope = name, "a client lacks a scope");
    let detail = format!("this needs the scope {name}, which the token does not have");
    let mut response = Problem::new(StatusCode::FORBIDDEN, "insufficient_scope", detail).into_response();
    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{name}\"");
    let challenge = HeaderValue::try_from(challenge).expect("scopes are letters and colons");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}
