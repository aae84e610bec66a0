//! Publishing through Google's official client.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use google_cloud_gax::retry_policy::RetryPolicyExt;
use google_cloud_pubsub::client::BasePublisher;
use google_cloud_pubsub::retry_policy::RetryableErrors;

use crate::address::{Address, install_tls};
use crate::inbound::Inbound;
use crate::lane::{Lane, MAX_BATCH};
use crate::outgoing::{Bus, BusError, Outgoing, Published};

/// How long the client tries one request before the outbox takes over.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longer than any gap between messages of one batch: a lane always sends by itself.
const NEVER: Duration = Duration::from_secs(60);

/// Pub/Sub: Google's, our embedded broker, or an emulator.
pub struct PubSub {
    address: Address,
    client: BasePublisher,
    lanes: Mutex<HashMap<String, Lane>>,
    inbound: Inbound,
}

impl PubSub {
    /// Prepares a connection; the first publish opens it.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] when the client cannot be built, for want of credentials say.
    pub fn connect(address: Address) -> BoxFuture<'static, Result<Self, BusError>> {
        Box::pin(Self::build(address))
    }

    async fn build(address: Address) -> Result<Self, BusError> {
        install_tls();
        let mut builder = BasePublisher::builder()
            .with_retry_policy(RetryableErrors.with_time_limit(PATIENCE))
            .with_grpc_subchannel_count(1);
        if let Some(endpoint) = &address.emulator {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(credentials) = address.credentials() {
            builder = builder.with_credentials(credentials);
        }
        let client = builder.build().await.map_err(|error| BusError::Unavailable(error.to_string()))?;
        Ok(Self { address, client, lanes: Mutex::new(HashMap::new()), inbound: Inbound::default() })
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn inbound(&self) -> &Inbound {
        &self.inbound
    }

    fn lane(&self, topic: &str) -> Lane {
        let mut lanes = self.lanes.lock().expect("no lane panics while it is looked up");
        if let Some(lane) = lanes.get(topic) {
            return lane.clone();
        }
        let publisher = self
            .client
            .publisher(self.address.topic(topic))
            .set_message_count_threshold(u32::try_from(MAX_BATCH + 1).expect("a small constant"))
            .set_delay_threshold(NEVER)
            .build();
        let lane = Lane::start(publisher);
        lanes.insert(topic.to_owned(), lane.clone());
        lane
    }
}

impl Bus for PubSub {
    fn publish(&self, batch: Vec<Outgoing>) -> BoxFuture<'_, Vec<Published>> {
        async move {
            let mut waiting = Vec::with_capacity(batch.len());
            for message in batch {
                let lane = self.lane(&message.topic);
                waiting.push(lane.send(message).await);
            }
            let mut answers = Vec::with_capacity(waiting.len());
            for heard in waiting {
                answers.push(heard.await.unwrap_or(Err(BusError::Closed)));
            }
            answers
        }
        .boxed()
    }
}
