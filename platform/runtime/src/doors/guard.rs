//! What stands before a door: it looks at the caller's token before a byte of the body is read.

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use http::header::WWW_AUTHENTICATE;
use identity::Refused;
use tracing::warn;

use super::{Callers, Identity, Listed};
use crate::problem::Problem;

/// `route`, with `me` before it. Handlers find the [`Caller`](super::Caller) in the request's extensions, where there is one.
pub(super) fn guarded(route: MethodRouter, listed: &Listed, me: &Identity) -> MethodRouter {
    if matches!(listed.callers, Callers::Anyone) || me.is_open_house() {
        return route;
    }
    let (me, callers, path) = (me.clone(), listed.callers, listed.path);
    route.route_layer(from_fn(move |mut request: Request, next: Next| {
        let me = me.clone();
        async move {
            match me.admit(callers, request.headers()).await {
                Ok(caller) => {
                    if let Some(caller) = caller {
                        request.extensions_mut().insert(caller);
                    }
                    next.run(request).await
                }
                Err(refused) => {
                    // Neither the token nor what it says: whoever reads logs is not to be anybody.
                    warn!(door = path, code = refused.code(), "a caller was turned away");
                    turned_away(refused)
                }
            }
        }
    }))
}

/// The answer to a caller who does not come in.
fn turned_away(refused: Refused) -> Response {
    let mut response = Problem::new(refused.status(), refused.code(), refused.to_string()).into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, refused.challenge());
    response
}
