//! Whose request it is.

use std::fmt;

use axum::http::header::WWW_AUTHENTICATE;
use axum::response::{IntoResponse, Response};
use events::CustomerId;
use identity::{Claims, Refused};
use runtime::Problem;

use super::scope::Scope;

/// The bearer of a verified token. Personal data: none of it shows in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    subject: String,
    customer: Option<CustomerId>,
    scopes: Vec<Scope>,
}

impl Principal {
    /// Who `claims` name: nobody, when they name no subject.
    pub(crate) fn of(claims: &Claims) -> Option<Self> {
        if claims.subject.is_empty() {
            return None;
        }
        // Which customer it is: what the token says, and the subject itself where customers are known by their ids.
        let customer = claims.customer_id.as_ref().unwrap_or(&claims.subject).parse().ok();
        let scopes = Scope::ALL.into_iter().filter(|scope| claims.scopes.contains(scope.name())).collect();
        Some(Self { subject: claims.subject.clone(), customer, scopes })
    }

    /// Who it is, as the issuer knows them.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// Which customer of ours it is; `None` for a subject that is no customer's id.
    pub(crate) fn customer(&self) -> Option<&CustomerId> {
        self.customer.as_ref()
    }

    pub(crate) fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether it may act for every customer.
    pub(crate) fn acts_for_any(&self) -> bool {
        self.has(Scope::OrdersAny)
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

/// 401, or 403 where it is known who asks.
pub(super) fn turned_away(refused: Refused) -> Response {
    let mut response = Problem::new(refused.status(), refused.code(), refused.to_string()).into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, refused.challenge());
    response
}
