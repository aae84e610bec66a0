//! What the tests of this crate share: a list of all facts, and the samples in `schemas/samples`.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod arbitrary;
pub mod filter;
pub mod mutate;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use events::pubsub::Message;
use events::{Encoded, Envelope, EnvelopeError, Event, Fact, Origin};
use serde_json::Value;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/samples");

/// A fact type behind functions, so that a wire type can pick one.
pub struct FactRow {
    /// Its wire type.
    pub event_type: &'static str,
    /// Decodes an envelope to the typed fact and says that fact again, as a service would.
    pub say_again: fn(Envelope<Encoded>) -> Result<Message, EnvelopeError>,
}

macro_rules! facts {
    ($($module:ident: $($name:ident),+;)+) => {
        /// Every fact there is.
        pub const FACTS: &[FactRow] = &[$($(FactRow {
            event_type: <events::$module::$name as Fact>::TYPE,
            say_again: say_again::<events::$module::$name>,
        }),+),+];
    };
}

facts! {
    order: OrderConfirmed, OrderRejected, OrderCancelled, OrderOnHold, OrderReleased, OrderCompleted,
        OrderStuck;
    inventory: StockReserved, StockCommitted, StockRejected, StockReleased, StockLow;
    billing: InvoiceRequested, InvoiceIssued, InvoiceFailed, RevenueRecognized, RefundRequested, RefundIssued;
    fulfillment: FulfillmentRequested, ShipmentCreated, ShipmentDispatched, ShipmentDelivered, ShipmentFailed,
        ReturnRequested, ReturnReceived, ReturnClosed;
    risk: FraudCleared, FraudFlagged;
    platform: MinuteElapsed;
}

/// The fact of a wire type.
pub fn fact(event_type: &str) -> &'static FactRow {
    FACTS.iter().find(|row| row.event_type == event_type).unwrap_or_else(|| panic!("no fact has the type {event_type}"))
}

fn say_again<F: Fact>(envelope: Envelope<Encoded>) -> Result<Message, EnvelopeError> {
    let heard: Envelope<F> = envelope.decode()?;
    let origin = Origin {
        source: heard.source,
        time: heard.time,
        correlation_id: Some(heard.correlation_id),
        causation_id: heard.causation_id,
        traceparent: heard.traceparent,
    };
    let mut said = Event::from(heard.data).seal(heard.id, &origin).map_err(EnvelopeError::Data)?;
    said.replay_id = heard.replay_id;
    said.replay_target = heard.replay_target;
    Ok(said.into())
}

/// A message as on the wire, from `schemas/samples/<type>/<n>.json`.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its file, for failure texts.
    pub file: String,
    /// The wire type its folder stands for.
    pub event_type: String,
    /// Pub/Sub attributes.
    pub attributes: BTreeMap<String, String>,
    /// The payload.
    pub data: Value,
}

impl Sample {
    /// The message with this sample's attributes and other data.
    pub fn message_with(&self, data: &Value) -> Message {
        Message { attributes: self.attributes.clone(), data: data.to_string().into_bytes() }
    }

    /// The message.
    pub fn message(&self) -> Message {
        self.message_with(&self.data)
    }

    /// Whether the type takes `data` in place of this sample's.
    pub fn type_takes(&self, data: &Value) -> Result<(), EnvelopeError> {
        let envelope = Envelope::try_from(self.message_with(data))?;
        (fact(&self.event_type).say_again)(envelope).map(drop)
    }
}

/// Every sample, in the order of their names.
pub fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for folder in listed(Path::new(SAMPLES)) {
        let name = folder.file_name().expect("a listed entry has a name").to_string_lossy().into_owned();
        samples.extend(listed(&folder).iter().map(|file| read_sample(&name, file)));
    }
    samples
}

fn read_sample(folder: &str, file: &Path) -> Sample {
    let text = fs::read_to_string(file).expect("a sample can be read");
    let sample: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let attributes = serde_json::from_value(sample["attributes"].clone()).expect("attributes are strings");
    Sample {
        file: format!("{folder}/{}", file.file_name().expect("a listed entry has a name").to_string_lossy()),
        event_type: format!("{}{folder}", events::topology::TYPE_PREFIX),
        attributes,
        data: sample["data"].clone(),
    }
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    paths.sort();
    paths
}
