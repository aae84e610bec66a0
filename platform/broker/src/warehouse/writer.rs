//! Writes one BigQuery subscription: one task that carries its backlog to its table, batch by batch.
//!
//! A message is acked once its row is written. A message that makes no row is nacked, its attempts count. A table that cannot be written to
//! makes the subscription wait, and no attempt counts.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use delivery::{NEVER, PUSH, Take};
use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::big_query_config::State;

use super::batch::{BadItem, Batch, Item};
use super::door::{Appended, Row, Table, Trouble, Warehouse};
use super::plan::Plan;
use super::render::Given;
use super::start::topic_schema;
use super::table_name::TableName;
use super::topic_schema::TopicSchema;
use crate::core::Core;
use crate::limits;
use crate::message::MessageView;
use crate::schema::Reading;
use crate::subscription::Subscription;
use crate::sync::stopped;

/// Writes until the broker stops; then ends the batch under way.
pub(super) async fn run(
    core: Arc<Core>,
    subscription: Arc<Subscription>,
    warehouse: Arc<dyn Warehouse>,
    table: TableName,
    config: pb::BigQueryConfig,
) {
    let mut stopping = core.stopping.subscribe();
    let ordered = subscription.config().enable_message_ordering;
    let mut writer = Writer {
        core,
        subscription: Arc::clone(&subscription),
        warehouse,
        table,
        config,
        ordered,
        plan: None,
        failures: 0,
    };
    loop {
        let mut woken = pin!(subscription.wake.notified());
        woken.as_mut().enable();
        let next = writer.turn().await;
        let timer = async {
            match next {
                Next::At(Some(at_ms)) | Next::Pause(at_ms) => {
                    tokio::time::sleep_until(writer.core.clock.timer_at(at_ms)).await
                }
                Next::At(None) => std::future::pending().await,
                Next::Now => {}
            }
        };
        tokio::select! {
            biased;
            () = stopped(&mut stopping) => return,
            () = woken, if !matches!(next, Next::Pause(_)) => {}
            () = timer => {}
        }
    }
}

/// When to take the next turn.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// At once.
    Now,
    /// When there are messages, or at this time.
    At(Option<u64>),
    /// At this time, whatever comes.
    Pause(u64),
}

struct Seen {
    table: Arc<Table>,
    schema: Option<Arc<Reading>>,
    plan: Arc<Plan>,
}

struct Writer {
    core: Arc<Core>,
    subscription: Arc<Subscription>,
    warehouse: Arc<dyn Warehouse>,
    table: TableName,
    config: pb::BigQueryConfig,
    ordered: bool,
    /// What was made of the table and the topic's schema as they were last seen.
    plan: Option<Seen>,
    /// Turns in a row that ended with trouble.
    failures: u32,
}

impl Writer {
    /// Writes one batch, if there is one.
    async fn turn(&mut self) -> Next {
        // The table first: a subscription in trouble must not touch its backlog, one without messages must see that it is mended.
        let plan = match self.look_up().await {
            Ok(plan) => plan,
            Err(trouble) => return self.pause(trouble),
        };
        let (mut items, next_due) = self.take(limits::WAREHOUSE_ROWS, limits::WAREHOUSE_BYTES);
        if items.is_empty() {
            self.mended();
            return Next::At(next_due);
        }
        let bytes: usize = items.iter().map(|item| item.message.len as usize).sum();
        if items.len() < limits::WAREHOUSE_ROWS && bytes < limits::WAREHOUSE_BYTES {
            tokio::time::sleep(Duration::from_millis(limits::WAREHOUSE_GATHER_MS)).await;
            items.extend(self.take(limits::WAREHOUSE_ROWS - items.len(), limits::WAREHOUSE_BYTES - bytes).0);
        }
        if !self.knows_schema() {
            // What was taken may follow a revision that is newer than the plan.
            self.subscription.abandon(PUSH);
            return Next::Now;
        }
        let mut batch = self.render(&plan, items);
        while !batch.is_empty() {
            match self.warehouse.append(&self.table, &batch.rows).await {
                Appended::Written => {
                    self.ack(&batch);
                    break;
                }
                Appended::Bad(bad) if bad.iter().any(|bad| bad.index < batch.rows.len()) => {
                    let bad = batch.remove(bad);
                    self.refuse(bad, &mut batch);
                }
                Appended::Bad(_) => {
                    return self.pause(Trouble::Unavailable("rows were refused that were not given".to_owned()));
                }
                Appended::Failed(trouble) => return self.pause(trouble),
            }
        }
        self.mended();
        Next::Now
    }

    /// What to write into which columns now.
    async fn look_up(&mut self) -> Result<Arc<Plan>, Trouble> {
        let table = self.warehouse.look_up(&self.table).await?;
        let schema = self.schema().map_err(Trouble::SchemaMismatch)?;
        if let Some(seen) = &self.plan
            && Arc::ptr_eq(&seen.table, &table)
            && is_same(&seen.schema, &schema)
        {
            return Ok(Arc::clone(&seen.plan));
        }
        let reads = schema.clone().map(|schema| schema as Arc<dyn TopicSchema>);
        let plan = Arc::new(Plan::new(&self.config, &table, reads).map_err(Trouble::SchemaMismatch)?);
        self.plan = Some(Seen { table, schema, plan: Arc::clone(&plan) });
        Ok(plan)
    }

    /// The topic's schema as it is now.
    fn schema(&self) -> Result<Option<Arc<Reading>>, String> {
        let known = self.plan.as_ref().and_then(|seen| seen.schema.clone());
        topic_schema(&self.config, &self.subscription.topic, known)
    }

    /// Whether the plan was made with the topic's schema as it is now.
    fn knows_schema(&self) -> bool {
        let seen = self.plan.as_ref().map(|seen| &seen.schema);
        self.schema().is_ok_and(|now| seen.is_some_and(|seen| is_same(seen, &now)))
    }

    /// Takes messages whose turn it is, and says when time alone makes more ready.
    fn take(&self, messages: usize, bytes: usize) -> (Vec<Item>, Option<u64>) {
        let now_ms = self.core.clock.steady_ms();
        let take = Take { messages, bytes, per_key: messages, now_ms, until_ms: NEVER, owner: PUSH };
        let turn = self.subscription.take(take);
        self.core.forward(&self.subscription, turn.missed);
        let item = |d: crate::subscription::Delivery| Item { message: d.message, ack_id: d.ack_id, attempt: d.attempt };
        (turn.deliveries.into_iter().map(item).collect(), turn.next_due)
    }

    /// Makes rows of messages. Those that make none are refused.
    fn render(&self, plan: &Plan, items: Vec<Item>) -> Batch {
        let (mut batch, mut bad) = (Batch::default(), Vec::new());
        for item in items {
            let stored = &item.message;
            let columns = match self.core.payload(stored) {
                Ok(payload) => {
                    let message = &MessageView::of_stored(&payload);
                    let given = Given {
                        subscription: &self.subscription.name,
                        id: stored.id,
                        publish_ms: stored.publish_ms,
                        message,
                    };
                    plan.row(&given).map_err(|bad| bad.0)
                }
                Err(error) => {
                    tracing::error!(%error, message.id = stored.id, "a message cannot be read; it is tried again");
                    Err("the message cannot be read".to_owned())
                }
            };
            match columns {
                // Two subscriptions may write one message to one table: both rows are meant.
                Ok(columns) => {
                    let insert_id = format!("{}-{}", stored.id, self.subscription.number);
                    batch.push(item, Row { insert_id, columns });
                }
                Err(reason) => bad.push(BadItem { item, reason }),
            }
        }
        self.refuse(bad, &mut batch);
        batch
    }

    /// Nacks messages. Of `batch`, what comes after one of them in its key has to wait with it.
    fn refuse(&self, bad: Vec<BadItem>, batch: &mut Batch) {
        if bad.is_empty() {
            return;
        }
        // As the service: with a dead-letter topic a message that does not fit is not waited for, but for the retry policy.
        let backoff = self.core.push_backoff();
        let wait_ms = |item: &Item| {
            if self.subscription.terms().dead_letter.is_some() { 0 } else { backoff.after(u32::from(item.attempt)) }
        };
        let nacks: Vec<_> = bad.iter().map(|bad| (bad.item.ack_id, wait_ms(&bad.item))).collect();
        let missed = self.subscription.nack(nacks);
        if self.ordered {
            let given_up: HashSet<u64> = missed.iter().map(|missed| missed.message.id).collect();
            let mut held = HashMap::new();
            for message in bad.iter().map(|bad| &bad.item.message).filter(|m| m.key != 0 && !given_up.contains(&m.id)) {
                held.entry(message.key).or_insert(message.id);
            }
            batch.hold_back(&held);
        }
        let mut reasons: HashMap<u64, String> = bad.into_iter().map(|bad| (bad.item.message.id, bad.reason)).collect();
        let missed = missed.into_iter().map(|missed| {
            let reason = reasons.remove(&missed.message.id);
            (missed, reason)
        });
        self.core.forward_because(&self.subscription, missed.collect());
    }

    fn ack(&self, batch: &Batch) {
        if let Err(error) = self.subscription.ack(batch.items.iter().map(|item| item.message.id)) {
            tracing::warn!(%error, subscription = %self.subscription.name, "acks are not on disk; a restart may write rows again");
        }
    }

    /// Gives back what was taken, shows the trouble, and waits.
    fn pause(&mut self, trouble: Trouble) -> Next {
        self.subscription.abandon(PUSH);
        let state = match &trouble {
            Trouble::NotFound => Some(State::NotFound),
            Trouble::PermissionDenied(_) => Some(State::PermissionDenied),
            Trouble::SchemaMismatch(_) => Some(State::SchemaMismatch),
            Trouble::Unavailable(_) => None,
        };
        let changed = state.is_some_and(|state| self.subscription.set_bigquery_state(state));
        if changed || self.failures == 0 {
            tracing::warn!(subscription = %self.subscription.name, table = %self.table, %trouble, "nothing can be written; messages wait");
        }
        self.failures = self.failures.saturating_add(1);
        Next::Pause(self.core.clock.steady_ms() + self.core.push_backoff().after(self.failures))
    }

    fn mended(&mut self) {
        self.subscription.set_bigquery_state(State::Active);
        if std::mem::take(&mut self.failures) > 0 {
            tracing::info!(subscription = %self.subscription.name, table = %self.table, "rows are written again");
        }
    }
}

fn is_same(one: &Option<Arc<Reading>>, other: &Option<Arc<Reading>>) -> bool {
    one.as_ref().map(Arc::as_ptr) == other.as_ref().map(Arc::as_ptr)
}
