//! `grpc.health.v1.Health`: the broker and each of its services serve until the broker stops.

use std::convert::Infallible;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use http::{Request, Response};
use hyper::body::Incoming;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tower::Service;

use crate::core::Core;
use crate::proto;
use crate::sync::stopped;

/// Answers a health check.
pub(super) async fn serve(core: Arc<Core>, request: Request<Incoming>) -> Response<Body> {
    let answered: Result<_, Infallible> = HealthServer::new(Checked { core }).call(request).await;
    answered.unwrap_or_else(|never| match never {})
}

struct Checked {
    core: Arc<Core>,
}

impl Checked {
    /// `None` for a service that is not served. The empty name is the broker itself.
    fn status(&self, service: &str) -> Option<ServingStatus> {
        let is_known = service.is_empty() || proto::pool().get_service_by_name(service).is_some();
        let now = if *self.core.stopping.borrow() { ServingStatus::NotServing } else { ServingStatus::Serving };
        is_known.then_some(now)
    }
}

#[tonic::async_trait]
impl Health for Checked {
    async fn check(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        match self.status(&service) {
            Some(status) => Ok(tonic::Response::new(answer(status))),
            None => Err(Status::new(Code::NotFound, "no such service")),
        }
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    /// What is, and once the broker stops, that.
    async fn watch(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<Self::WatchStream>, Status> {
        let mut stopping = self.core.stopping.subscribe();
        let now = self.status(&request.into_inner().service).unwrap_or(ServingStatus::ServiceUnknown);
        let later = async move {
            stopped(&mut stopping).await;
            Ok(answer(ServingStatus::NotServing))
        };
        Ok(tonic::Response::new(stream::iter([Ok(answer(now))]).chain(stream::once(later)).boxed()))
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}
