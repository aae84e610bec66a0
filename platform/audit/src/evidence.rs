//! Everything the checks look at, gathered in one pass over the databases.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use events::Fact;
use events::billing::RefundIssued;
use events::fulfillment::ShipmentDispatched;
use events::topology::limits::{INBOX_DAYS, OUTBOX_DAYS};
use serde_json::Value;
use store::{Store, StoreError, Tx};

use crate::{ledger, once, shipping, stock};

/// Where stories begin.
pub(crate) const CHECKOUT: &str = "checkout";
const OMS: &str = "oms";
const ACCOUNTING: &str = "accounting";
const WAREHOUSE: &str = "warehouse";
const INVENTORY: &str = "inventory";
const FURNITURE: &str = "furniture";
/// Keeps the dead letters.
const OPS: &str = "ops";

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Days for which consumers remember what they handled, less one, because they do not forget all at the same moment.
const REMEMBERED_DAYS: i64 = INBOX_DAYS as i64 - 1;
/// Days for which services keep what they said, less one.
pub const KEPT_DAYS: i64 = OUTBOX_DAYS as i64 - 1;

/// A service that keeps books.
#[derive(Clone)]
pub struct Book {
    /// The service's name.
    pub service: &'static str,
    /// Its database.
    pub store: Store,
}

/// What is known from elsewhere than the databases.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// Orders that somebody noted as answered 201.
    pub answered: Vec<String>,
    /// Events with a row in the warehouse not older than [`KEPT_DAYS`], by (source, event id), read before the databases; `None`
    /// without a warehouse.
    pub rows: Option<BTreeSet<(String, String)>>,
    /// Now, in milliseconds since the epoch. What services have purged by then is not asked for.
    pub now_ms: i64,
}

/// A database that could not be read. Nothing is known about the invariants then; read again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the books of {service}: {cause}")]
pub struct ReadError {
    /// Whose database.
    pub service: &'static str,
    /// What it said.
    pub cause: StoreError,
}

/// An event in some outbox.
pub struct Said {
    /// The service whose outbox it is.
    pub service: &'static str,
    /// CloudEvent id.
    pub event_id: String,
    /// Wire type.
    pub event_type: String,
    /// `orders/{orderId}`.
    pub subject: String,
    /// Short topic name.
    pub topic: String,
    /// Attribute `ce-ledger`.
    pub ledger: Option<String>,
    /// What it is about where an order has several: the attempt of a shipment, a refund. Empty for other facts.
    pub part: String,
    /// Attribute `ce-risk`.
    pub risk: Option<String>,
    /// Of a dead letter: what died where, and why.
    pub dead: Option<Dead>,
    /// When it was committed, in milliseconds since the epoch.
    pub said_at_ms: i64,
    /// Whether Pub/Sub has it.
    pub sent: bool,
}

/// An event that died at a consumer.
pub struct Dead {
    /// Which consumer.
    pub consumer: String,
    /// Why, in one word.
    pub code: String,
    /// Source of the event.
    pub source: String,
    /// Id of the event.
    pub event_id: String,
}

impl Dead {
    /// What tells it from other letters: consumer, source and id.
    pub fn key(&self) -> LetterKey {
        (self.consumer.clone(), self.source.clone(), self.event_id.clone())
    }
}

/// A dead letter as ops keeps it.
pub struct Kept {
    /// What has become of it.
    pub state: String,
    /// Why it died, in one word.
    pub code: String,
    /// When the event happened, in milliseconds since the epoch.
    pub occurred_at_ms: i64,
}

/// Consumer, source and event id of a dead letter.
pub type LetterKey = (String, String, String);

impl Said {
    /// The order it is about.
    pub fn order_id(&self) -> &str {
        self.subject.strip_prefix("orders/").unwrap_or(&self.subject)
    }
}

/// What one pass found.
pub struct Evidence {
    /// Orders checkout answered 201, by its own table, and when each was placed, in milliseconds since the epoch.
    pub confirmed: BTreeMap<String, i64>,
    /// Orders noted elsewhere as answered 201.
    pub answered: Vec<String>,
    /// Status by order, as OMS has it.
    pub statuses: BTreeMap<String, String>,
    /// Everything in the outboxes.
    pub said: Vec<Said>,
    /// Consumers that handled an event, by (source, event id).
    pub heard: HashMap<(String, String), Vec<String>>,
    /// Invoices, shipments and refunds.
    pub once: once::Found,
    /// Stock by ledger.
    pub stock: Vec<stock::Found>,
    /// The general ledger.
    pub ledger: ledger::Found,
    /// Shipments and the order of facts in OMS.
    pub shipping: shipping::Found,
    /// Events with a row in the warehouse, by (source, event id); `None` without a warehouse.
    pub rows: Option<BTreeSet<(String, String)>>,
    /// Dead letters that ops keeps, and what has become of each; `None` without ops.
    pub letters: Option<BTreeMap<LetterKey, Kept>>,
    /// Now, in milliseconds since the epoch.
    pub now_ms: i64,
    /// Events said before this moment may have been forgotten by who handled them, in milliseconds since the epoch.
    pub remembered_from_ms: i64,
    /// What was said before this moment may be gone from the outbox, in milliseconds since the epoch.
    pub kept_from_ms: i64,
}

impl Evidence {
    /// Every fact said: what is in the outboxes but dead letters, which repeat what others said.
    pub fn facts(&self) -> impl Iterator<Item = &Said> {
        self.said.iter().filter(|said| said.dead.is_none())
    }

    /// Reads every database once. Later events are read first, so that an effect is never seen without its cause.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub async fn gather(books: &[Book], notes: Notes) -> Result<Self, ReadError> {
        let Notes { answered, rows, now_ms } = notes;
        let mut this = Evidence {
            confirmed: BTreeMap::new(),
            answered,
            statuses: BTreeMap::new(),
            said: Vec::new(),
            heard: HashMap::new(),
            once: once::Found::default(),
            stock: Vec::new(),
            ledger: ledger::Found::default(),
            shipping: shipping::Found::default(),
            rows,
            letters: None,
            now_ms,
            remembered_from_ms: now_ms - REMEMBERED_DAYS * DAY_MS,
            kept_from_ms: now_ms - KEPT_DAYS * DAY_MS,
        };
        for book in books.iter().rev() {
            let failed = |cause| ReadError { service: book.service, cause };
            let inbox = book.store.read(inbox).await.map_err(failed)?;
            for (key, consumer) in inbox {
                this.heard.entry(key).or_default().push(consumer);
            }
            match book.service {
                CHECKOUT => this.confirmed = book.store.read(confirmed).await.map_err(failed)?,
                OMS => this.statuses = book.store.read(statuses).await.map_err(failed)?,
                ACCOUNTING => {
                    this.once.accounting = book.store.read(once::of_accounting).await.map_err(failed)?;
                    this.ledger = book.store.read(ledger::find).await.map_err(failed)?;
                }
                WAREHOUSE => {
                    this.shipping = book.store.read(shipping::find).await.map_err(failed)?;
                }
                OPS => this.letters = Some(book.store.read(letters).await.map_err(failed)?),
                service @ (INVENTORY | FURNITURE) => {
                    this.stock.push(book.store.read(move |tx| stock::find(tx, service)).await.map_err(failed)?);
                }
                _ => {}
            }
        }
        for book in books {
            let service = book.service;
            let failed = |cause| ReadError { service, cause };
            this.said.extend(book.store.read(move |tx| said(tx, service)).await.map_err(failed)?);
        }
        Ok(this)
    }
}

fn confirmed(tx: &mut Tx<'_>) -> Result<BTreeMap<String, i64>, StoreError> {
    let sql = "SELECT order_id, placed_at_ms FROM orders WHERE status = 'confirmed'";
    Ok(tx.query(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
}

fn statuses(tx: &mut Tx<'_>) -> Result<BTreeMap<String, String>, StoreError> {
    let sql = "SELECT order_id, status FROM orders";
    Ok(tx.query(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
}

type Receipts = Vec<((String, String), String)>;

fn inbox(tx: &mut Tx<'_>) -> Result<Receipts, StoreError> {
    let sql = "SELECT source, id, consumer FROM inbox";
    tx.query(sql, &[], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))
}

fn letters(tx: &mut Tx<'_>) -> Result<BTreeMap<LetterKey, Kept>, StoreError> {
    let sql = "SELECT consumer, source, event_id, state, code, occurred_at_ms FROM letters";
    let letter = |row: &store::Row<'_>| {
        Ok((
            (row.get(0)?, row.get(1)?, row.get(2)?),
            Kept { state: row.get(3)?, code: row.get(4)?, occurred_at_ms: row.get(5)? },
        ))
    };
    Ok(tx.query(sql, &[], letter)?.into_iter().collect())
}

fn said(tx: &mut Tx<'_>, service: &'static str) -> Result<Vec<Said>, StoreError> {
    let sql = "SELECT event_id, event_type, subject, topic, attributes, sent_at_ms, data, created_at_ms FROM outbox ORDER BY seq";
    tx.query(sql, &[], |row| {
        let attributes: Value = serde_json::from_str(&row.get::<String>(4)?).unwrap_or_default();
        let attribute = |name: &str| attributes[name].as_str().map(ToOwned::to_owned);
        let event_type: String = row.get(1)?;
        let part = part(&event_type, row.get_str(6)?);
        Ok(Said {
            service,
            event_id: row.get(0)?,
            event_type,
            part,
            subject: row.get(2)?,
            topic: row.get(3)?,
            ledger: attribute("ce-ledger"),
            risk: attribute("ce-risk"),
            dead: attribute("dlconsumer").map(|consumer| Dead {
                consumer,
                code: attribute("dlcode").unwrap_or_default(),
                source: attribute("ce-source").unwrap_or_default(),
                event_id: attribute("ce-id").unwrap_or_default(),
            }),
            said_at_ms: row.get(7)?,
            sent: row.get::<Option<i64>>(5)?.is_some(),
        })
    })
}

/// The attempt of a shipment, or the refund, that a fact is about.
fn part(event_type: &str, data: &str) -> String {
    if ![ShipmentDispatched::TYPE, RefundIssued::TYPE].contains(&event_type) {
        return String::new();
    }
    let data: Value = serde_json::from_str(data).unwrap_or_default();
    match (data["refundId"].as_str(), data["shipmentId"].as_str()) {
        (Some(refund_id), _) => refund_id.to_owned(),
        (None, Some(shipment_id)) => format!("{shipment_id}, attempt {}", data["attempt"].as_u64().unwrap_or(1)),
        (None, None) => String::new(),
    }
}
