//! The way of one process to the other services.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use runtime::simulation::Wire;

use crate::life::{Life, Place};
use crate::world::World;

/// Calls for one process.
pub(crate) struct Line {
    world: Arc<World>,
    life: Arc<Life>,
}

impl Line {
    pub(crate) fn new(world: &Arc<World>, life: &Arc<Life>) -> Self {
        Self { world: Arc::clone(world), life: Arc::clone(life) }
    }

    async fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        let (world, life) = (&self.world, &self.life);
        world.dies(life, Place::BeforeCall);
        life.go_on().await;
        let answer = world.call(life.service, request).await;
        world.dies(life, Place::AfterCall);
        life.go_on().await;
        answer
    }
}

impl Wire for Line {
    fn carry(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, String>> {
        Box::pin(self.ask(request))
    }
}
