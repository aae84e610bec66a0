//! One request after the other: counted, named, brought to its handler.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse, Response};
use http::Uri;
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use tokio::sync::{Semaphore, SemaphorePermit};
use tower::ServiceExt;
use tracing::{debug, warn};

use super::answer::Answer;
use super::limits::Limits;
use super::pace::Turn;
use super::places::{Place, Places};
use super::slow_body::SlowBody;
use crate::problem::Problem;
use crate::request_id::RequestId;

/// Paths that are answered however much is under way: who is asked whether it lives must not die of being busy.
const ALWAYS: [&str; 2] = ["/health", "/ready"];

/// What all requests share.
pub(super) struct Visits {
    router: Router,
    under_way: Semaphore,
    /// Requests under way, by network.
    places: Places,
    body_time: Duration,
}

impl Visits {
    pub(super) fn new(router: Router, limits: &Limits) -> Self {
        let places = Places::new(limits.requests_per_network, limits.unlimited.clone());
        Self { router, under_way: Semaphore::new(limits.requests), places, body_time: limits.body_time }
    }

    /// Answers one request of the client at `from`.
    pub(super) async fn visit(
        self: Arc<Self>,
        request: Request<Incoming>,
        from: SocketAddr,
        turn: Turn,
    ) -> Result<Response<Answer>, Infallible> {
        let answering = turn.begin();
        let mut request = request.map(|body| Body::new(SlowBody::new(body, self.body_time)));
        request.extensions_mut().insert(ConnectInfo(from));
        let id = RequestId::of(request.headers());
        id.write(request.headers_mut());
        let mut response = id.clone().within(self.answer(request, from.ip())).await;
        id.write(response.headers_mut());
        Ok(response.map(|body| Answer::new(body, answering)))
    }

    async fn answer(&self, request: Request, from: IpAddr) -> Response {
        let _under_way = match self.admit(from) {
            Ok(under_way) => Some(under_way),
            Err(_) if ALWAYS.contains(&request.uri().path()) => None,
            Err(refused) => return refused.into_response(),
        };
        if !is_text(request.uri()) {
            return Problem::bad_request(
                "bad_uri",
                "the path must be UTF-8, and neither it nor the query may hold U+0000",
            )
            .into_response();
        }
        let Ok(response) = self.router.clone().oneshot(request).await;
        response
    }

    /// Room for a request from `from`, until it is dropped: of what its network may have first, so that who has too much takes nothing
    /// from others.
    fn admit(&self, from: IpAddr) -> Result<(Place, SemaphorePermit<'_>), Problem> {
        let Some(place) = self.places.take(from) else {
            // Whoever it is can say it as often as they like.
            debug!("too many requests of one network are under way");
            let detail = "too many requests of your network are under way, try again";
            return Err(Problem::unavailable("overloaded", detail));
        };
        let permit = self.under_way.try_acquire().map_err(|_| {
            warn!("too many requests are under way");
            Problem::unavailable("overloaded", "too many requests are under way, try again")
        })?;
        Ok((place, permit))
    }
}

/// Whether a URI says text that a database can hold.
fn is_text(uri: &Uri) -> bool {
    let has_nul = |text: &str| text.contains("%00");
    // Most paths have nothing to decode.
    let is_utf8 = !uri.path().contains('%') || percent_decode_str(uri.path()).decode_utf8().is_ok();
    is_utf8 && !has_nul(uri.path()) && !uri.query().is_some_and(has_nul)
}
